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
import { catchError, isObservable } from 'rxjs';
import { LineContext } from './line-context.js';

let installed = false;

/** Teaches Nest the two points above; the first call does it. */
export function answerLinesExceptions(): void {
  if (installed) return;
  installed = true;
  const { prototype } = RpcExceptionsHandler;
  // oxlint-disable-next-line typescript/unbound-method -- it is called with its own `this`
  const answerAsNest = prototype.handle;
  Reflect.set(
    prototype,
    'handle',
    function (this: RpcExceptionsHandler, exception: Error, host: ArgumentsHost, ...rest: []) {
      return host.getArgByIndex(1) instanceof LineContext
        ? answerOf(() => this.invokeCustomFilters(exception, host), exception)
        : answerAsNest.call(this, exception, host, ...rest);
    },
  );
}

/**
 * A promise, in the place of Nest's Observable: of it a plain handler makes a rejection, which is seen also when nobody waits for
 * the answer any more, and a stream one value, or an error.
 */
async function answerOf(filter: () => unknown, exception: unknown): Promise<unknown> {
  const outcome = await attempt(filter);
  // Nest takes whatever is falsy for "not answered"; so is what a promise brings, or an async filter would hide a failure.
  if (!outcome) throw exception;
  if (!isObservable(outcome)) return outcome;
  return outcome.pipe(
    catchError((error) => {
      throw forClient(error);
    }),
  );
}

async function attempt(filter: () => unknown): Promise<unknown> {
  try {
    return await filter();
  } catch (error) {
    throw forClient(error);
  }
}

/** By Nest's custom a filter throws what the client is to know: a string, or `{ status: 'error', message }`. */
function forClient(error: unknown): unknown {
  const isWord = typeof error === 'string' || (typeof error === 'object' && error !== null);
  return isWord && !(error instanceof Error) ? new RpcException(error) : error;
}
