/**
 * What becomes of an exception that a line's guard, pipe, interceptor or handler threw. Nest answers it in RpcExceptionsHandler:
 * with a filter's result, or, without a filter, with `Internal server error` in the place of the exception. For lines this is
 * changed in two points, and for no other transport (docs/decisions/0007-exceptions-reach-the-transport.md):
 *
 * - An exception that no filter answers reaches the transport as it is, which words it (line-errors.ts).
 * - A filter's result is one reply also on a stream: rxjs would take a string for a stream of its characters.
 */
import type { ArgumentsHost } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { RpcExceptionsHandler } from '@nestjs/microservices/exceptions/rpc-exceptions-handler.js';
import { catchError, from, isObservable, mergeMap, type Observable, of, throwError } from 'rxjs';
import { LineContext } from './line-context.js';

let installed = false;

/** Teaches Nest the two points above; the first call does it. */
export function answerLinesExceptions(): void {
  if (installed) return;
  installed = true;
  const { prototype } = RpcExceptionsHandler;
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its own `this`
  const answerAsNest = prototype.handle;
  prototype.handle = function (exception: Error, host: ArgumentsHost, ...rest: []) {
    if (!(host.getArgByIndex(1) instanceof LineContext)) {
      return answerAsNest.call(this, exception, host, ...rest);
    }
    return answerOf(() => this.invokeCustomFilters(exception, host), exception);
  };
}

function answerOf(filter: () => unknown, exception: unknown): Observable<unknown> {
  try {
    return asStream(filter(), exception);
  } catch (error) {
    return rethrow(error);
  }
}

function asStream(outcome: unknown, exception: unknown): Observable<unknown> {
  if (outcome instanceof Promise) {
    return from(outcome).pipe(
      catchError(rethrow),
      mergeMap((settled: unknown) => asStream(settled, exception)),
    );
  }
  if (isObservable(outcome)) return outcome.pipe(catchError(rethrow));
  // Nest takes whatever is falsy for "not answered"; so is what a promise brings, or an async filter would hide a failure.
  return outcome ? of(outcome) : throwError(() => exception);
}

/** By Nest's custom a filter throws what the client is to know: a string, or `{ status: 'error', message }`. */
function rethrow(error: unknown): Observable<never> {
  const isWord = typeof error === 'string' || (typeof error === 'object' && error !== null);
  return throwError(() => (isWord && !(error instanceof Error) ? new RpcException(error) : error));
}
