/**
 * One of each kind of enhancer that counts how often it is called: who may not be skipped is known to have been asked.
 */
import {
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type INestMicroservice,
  type NestInterceptor,
  type PipeTransform,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import type { Observable } from 'rxjs';

type Application = INestMicroservice | INestApplication;

/** A kind of enhancer, and how one is attached. */
export interface CountedKind {
  /** As reasons name it, with its article. */
  readonly what: string;
  readonly use: ClassDecorator & MethodDecorator;
  readonly useGlobally: (app: Application) => unknown;
  /** The class, to be provided under `token`. */
  readonly type: Type;
  readonly token: string;
}

let calls = 0;

/** How often any of them was called since this was asked last. */
export function takeCalls(): number {
  const taken = calls;
  calls = 0;
  return taken;
}

class CountedGuard implements CanActivate {
  canActivate(): boolean {
    calls++;
    return true;
  }
}

class CountedInterceptor implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler<unknown>): Observable<unknown> {
    calls++;
    return next.handle();
  }
}

class CountedPipe implements PipeTransform {
  transform(value: unknown): unknown {
    calls++;
    return value;
  }
}

@Catch()
class CountedFilter implements ExceptionFilter {
  catch(_: unknown, host: ArgumentsHost): string {
    calls++;
    return `excused over ${host.getType()}`;
  }
}

/** A guard that lets every line through. */
export const COUNTED_GUARD: CountedKind = {
  what: 'a guard',
  use: UseGuards(CountedGuard),
  useGlobally: (app) => app.useGlobalGuards(new CountedGuard()),
  type: CountedGuard,
  token: APP_GUARD,
};

/** Each is called once for a line whose handler takes a payload and throws. */
export const COUNTED: readonly CountedKind[] = [
  COUNTED_GUARD,
  {
    what: 'an interceptor',
    use: UseInterceptors(CountedInterceptor),
    useGlobally: (app) => app.useGlobalInterceptors(new CountedInterceptor()),
    type: CountedInterceptor,
    token: APP_INTERCEPTOR,
  },
  {
    what: 'a pipe',
    use: UsePipes(CountedPipe),
    useGlobally: (app) => app.useGlobalPipes(new CountedPipe()),
    type: CountedPipe,
    token: APP_PIPE,
  },
  {
    what: 'a filter',
    use: UseFilters(CountedFilter),
    useGlobally: (app) => app.useGlobalFilters(new CountedFilter()),
    type: CountedFilter,
    token: APP_FILTER,
  },
];

/** Why a method is called through Nest's pipeline whose handler Nest has not built once and for all. */
export const NOT_BUILT_ONCE =
  "is called by a handler that Nest makes for each line (request scope), or that is not Nest's own";
