/** Whatever an exception filter does with an exception, the client is told whole lines, and its next line is answered. */
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  type NestInterceptor,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { BaseRpcExceptionFilter, RpcException } from '@nestjs/microservices';
import { concat, EMPTY, map, mergeMap, of, throwError, timer } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  Args,
  CLOSE,
  closeWith,
  ClosingException,
  Command,
  type LineReply,
  type LineStream,
} from '../../src/line-transport/index.js';
import { prepareLineApplication, talk } from '../support/talk.js';

class Mishap extends Error {}

function fail(): never {
  throw new Mishap('hidden');
}

/** The ways in which a line may come to fail, all under one filter; LATE and BEHIND LATE when `fine` has been said. */
function controllerWith(filter: ExceptionFilter | Type<ExceptionFilter>) {
  const interceptor: NestInterceptor = {
    intercept: (_, next) => next.handle().pipe(map((reply: unknown) => reply)),
  };

  @UseFilters(filter)
  @Controller()
  class FailingController {
    @Command('THROW')
    throw(): LineReply {
      return fail();
    }

    @Command('REJECT')
    reject(): Promise<LineReply> {
      return Promise.reject(new Mishap('hidden'));
    }

    @Command('ERROR')
    error(): LineStream {
      return throwError(() => new Mishap('hidden'));
    }

    @Command('PROMISED ERROR')
    async promisedError(): Promise<LineStream> {
      return Promise.resolve(throwError(() => new Mishap('hidden')));
    }

    @Command('LATE')
    late(): LineStream {
      return concat(
        of('fine'),
        throwError(() => new Mishap('hidden')),
      );
    }

    @Command('LATER')
    later(): LineStream {
      return concat(of('fine'), timer(0).pipe(mergeMap(fail)));
    }

    @UseInterceptors(interceptor)
    @Command('BEHIND')
    behind(): LineReply {
      return fail();
    }

    @UseInterceptors(interceptor)
    @Command('BEHIND LATE')
    behindLate(): LineStream {
      return concat(
        of('fine'),
        throwError(() => new Mishap('hidden')),
      );
    }

    @UseInterceptors({ intercept: fail })
    @Command('INTERCEPT')
    intercept(): LineReply {
      return 'never';
    }

    @UseGuards({ canActivate: fail })
    @Command('GUARD')
    guard(): LineReply {
      return 'never';
    }

    @UsePipes({ transform: fail })
    @Command('PIPE', { args: 'rest' })
    pipe(@Args() text: string): LineReply {
      return text;
    }

    @Command('PING')
    ping(): LineReply {
      return 'PONG';
    }
  }
  return FailingController;
}

const SOURCES: [command: string, saidBefore: string[]][] = [
  ['THROW', []],
  ['REJECT', []],
  ['ERROR', []],
  ['PROMISED ERROR', []],
  ['LATE', ['fine']],
  ['LATER', ['fine']],
  ['BEHIND', []],
  ['BEHIND LATE', ['fine']],
  ['INTERCEPT', []],
  ['GUARD', []],
  ['PIPE', []],
];

@Catch()
class NestsFilter extends BaseRpcExceptionFilter {
  override catch(exception: unknown, host: ArgumentsHost) {
    // oxlint-disable-next-line promise/valid-params -- it is no promise
    return super.catch(exception, host);
  }
}

@Catch()
class WordingFilter extends BaseRpcExceptionFilter {
  override catch(_: unknown, host: ArgumentsHost) {
    // oxlint-disable-next-line promise/valid-params -- it is no promise
    return super.catch(new RpcException('worded'), host);
  }
}

type Counted = 'answered' | 'rejected' | 'failed';

const toThrow = (thrown: unknown) => () => {
  throw thrown;
};

/** What a filter does, what the client is told for it, and what it is counted as. */
const OUTCOMES: [
  outcome: string,
  filter: (() => unknown) | Type<ExceptionFilter>,
  told: string[],
  counted: Counted,
][] = [
  ['returns a string', () => 'text', ['text'], 'answered'],
  ['returns a number', () => 42, ['42'], 'answered'],
  ['returns lines', () => ['one', 'two'], ['one', 'two'], 'answered'],
  ['returns a stream', () => of('text'), ['text'], 'answered'],
  ['returns a stream of several', () => of('one', 'two'), ['one', 'two'], 'answered'],
  ['returns a promise', () => Promise.resolve('text'), ['text'], 'answered'],
  ['returns a promise of a stream', () => Promise.resolve(of('text')), ['text'], 'answered'],
  ['returns an empty stream', () => EMPTY, [], 'answered'],
  ['returns nothing', () => undefined, ['SERVER ERROR.'], 'failed'],
  ['returns null', () => null, ['SERVER ERROR.'], 'failed'],
  ['returns a promise of nothing', () => Promise.resolve(), ['SERVER ERROR.'], 'failed'],
  ['returns an object', () => ({ secret: 1 }), ['SERVER ERROR.'], 'failed'],
  ['throws', toThrow(new Error('hidden')), ['SERVER ERROR.'], 'failed'],
  ['throws an RpcException', toThrow(new RpcException('told')), ['ERROR: told'], 'rejected'],
  ['throws a text', toThrow('told'), ['ERROR: told'], 'rejected'],
  ['rejects', () => Promise.reject(new RpcException('told')), ['ERROR: told'], 'rejected'],
  [
    'rejects without a word for the client',
    () => Promise.reject(new Error('hidden')),
    ['SERVER ERROR.'],
    'failed',
  ],
  [
    'returns a stream that fails with a text',
    () => throwError(() => 'told'),
    ['ERROR: told'],
    'rejected',
  ],
  [
    "returns a stream that fails with Nest's object",
    () => throwError(() => ({ status: 'error', message: 'told' })),
    ['ERROR: told'],
    'rejected',
  ],
  [
    'returns a stream that fails with an RpcException',
    () => throwError(() => new RpcException('told')),
    ['ERROR: told'],
    'rejected',
  ],
  [
    'returns a stream that fails with an error',
    () => throwError(() => new Error('hidden')),
    ['SERVER ERROR.'],
    'failed',
  ],
  ["leaves it to Nest's own", NestsFilter, ['ERROR: Internal server error'], 'rejected'],
  ["words it and leaves it to Nest's own", WordingFilter, ['ERROR: worded'], 'rejected'],
];

/** The same for filters that end the conversation. */
const ENDINGS: [outcome: string, filter: () => unknown, told: string[]][] = [
  ['returns closeWith', () => closeWith('bye'), ['bye']],
  ['returns CLOSE', () => CLOSE, []],
  ['returns a promise of closeWith', () => Promise.resolve(closeWith('bye')), ['bye']],
  ['returns a stream of closeWith', () => of('see you', closeWith('bye')), ['see you', 'bye']],
  ['throws a ClosingException', toThrow(new ClosingException('bye')), ['ERROR: bye']],
  [
    'returns a stream that fails with a ClosingException',
    () => throwError(() => new ClosingException('bye')),
    ['ERROR: bye'],
  ],
];

function filterOf(outcome: (() => unknown) | Type<ExceptionFilter>) {
  if (outcome.prototype instanceof BaseRpcExceptionFilter) return outcome as Type<ExceptionFilter>;

  @Catch(Mishap)
  class OutcomeFilter implements ExceptionFilter {
    catch(): unknown {
      return (outcome as () => unknown)();
    }
  }
  return new OutcomeFilter();
}

describe.each(OUTCOMES)('A filter that %s', (_, outcome, told, counted) => {
  it.each(SOURCES)('answers %s once, and the next line is served', async (command, before) => {
    const server = await prepareLineApplication([controllerWith(filterOf(outcome))]);
    expect(await talk(server, command, 'PING')).toEqual([...before, ...told, 'PONG']);
    const { rejected, handlerErrors } = server.stats();
    expect({ rejected, handlerErrors }).toEqual({
      rejected: counted === 'rejected' ? 1 : 0,
      handlerErrors: counted === 'failed' ? 1 : 0,
    });
  });
});

describe.each(ENDINGS)('A filter that %s', (_, outcome, told) => {
  it.each(SOURCES)('ends the conversation after %s', async (command, before) => {
    const server = await prepareLineApplication([controllerWith(filterOf(outcome))]);
    expect(await talk(server, command, 'PING')).toEqual([...before, ...told]);
    expect(server.stats().connections.ended.quit).toBe(1);
  });
});

describe('Without a filter', () => {
  it.each(SOURCES)('%s is told as a failure of the server', async (command, before) => {
    @Catch(TypeError)
    class OtherFilter implements ExceptionFilter {
      catch(): string {
        return 'never';
      }
    }

    const server = await prepareLineApplication([controllerWith(new OtherFilter())]);
    const failed = new Promise<unknown>((resolve) => {
      server.on('handlerError', (_connection, _line, error) => resolve(error));
    });
    expect(await talk(server, command, 'PING')).toEqual([...before, 'SERVER ERROR.', 'PONG']);
    expect(await failed).toBeInstanceOf(Mishap);
  });
});
