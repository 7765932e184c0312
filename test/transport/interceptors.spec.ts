/** What interceptors do to lines: change a reply, answer instead of the handler, give up, try again. */
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import {
  catchError,
  concat,
  EMPTY,
  filter,
  from,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  retry,
  startWith,
  take,
  tap,
  throwError,
  timeout,
  toArray,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  CLOSE,
  Command,
  LineContext,
  type LineReply,
  type LineStream,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { prepareLineApplication, talk } from '../support/talk.js';
import { EveryAnswer } from './controllers.js';

type Around = (replies: Observable<unknown>, context: LineContext) => Observable<unknown>;

function around(intercept: Around): NestInterceptor {
  return {
    intercept: (host: ExecutionContext, next: CallHandler<unknown>) =>
      intercept(next.handle(), host.switchToRpc().getContext<LineContext>()),
  };
}

/** One method for each kind of answer, all behind one interceptor, and PING without. */
function controllersBehind(interceptor: NestInterceptor) {
  @UseInterceptors(interceptor)
  @Controller()
  class BehindController extends EveryAnswer {
    @Command('NEVER')
    never(): LineStream {
      return NEVER;
    }
  }

  @Controller()
  class PingController {
    @Command('PING')
    ping(): LineReply {
      return 'PONG';
    }
  }

  return [BehindController, PingController];
}

describe('An interceptor', () => {
  it.each([
    ['LINE', ['one', 'PONG']],
    ['LINES', ['one', 'two', 'PONG']],
    ['PROMISE', ['one', 'PONG']],
    ['STREAM', ['one', 'two', 'PONG']],
    ['ITERABLE', ['one', 'two', 'PONG']],
    ['NOTHING', ['PONG']],
    ['CLOSE', []],
    ['FAIL', ['SERVER ERROR.', 'PONG']],
    ['LATE', ['one', 'SERVER ERROR.', 'PONG']],
  ])('that does nothing leaves %s as it is', async (command, told) => {
    const server = await prepareLineApplication(controllersBehind(around((replies) => replies)));
    expect(await talk(server, command, 'PING')).toEqual(told);
  });

  it.each<[string, Around, string, string[]]>([
    [
      'changes a reply',
      (replies) => replies.pipe(map((line) => `<${String(line)}>`)),
      'LINE',
      ['<one>'],
    ],
    [
      'changes each reply of a stream',
      (replies) => replies.pipe(map((line) => `<${String(line)}>`)),
      'STREAM',
      ['<one>', '<two>'],
    ],
    [
      'adds lines before and after',
      (replies, { command }) => concat(of(`BEGIN ${command}`), replies, of('END')),
      'STREAM',
      ['BEGIN STREAM', 'one', 'two', 'END'],
    ],
    ['drops lines', (replies) => replies.pipe(filter((line) => line !== 'one')), 'STREAM', ['two']],
    ['drops the whole reply', () => EMPTY, 'LINE', []],
    [
      'gathers a stream into one reply',
      (replies) =>
        replies.pipe(
          toArray(),
          map((lines) => lines.join(' ')),
        ),
      'STREAM',
      ['one two'],
    ],
    ['takes a part of a stream', (replies) => replies.pipe(take(1)), 'STREAM', ['one']],
    [
      'begins to speak before a handler that never does',
      (replies) => replies.pipe(startWith('wait'), take(1)),
      'NEVER',
      ['wait'],
    ],
    [
      'answers a failure itself',
      (replies) => replies.pipe(catchError(() => of('excused'))),
      'FAIL',
      ['excused'],
    ],
    [
      'turns a late failure into a last line',
      (replies) => replies.pipe(catchError(() => of('excused'))),
      'LATE',
      ['one', 'excused'],
    ],
    [
      'answers a failure with a stream',
      (replies) => replies.pipe(catchError(() => from(['a', 'b']))),
      'FAIL',
      ['a', 'b'],
    ],
    ['fails', () => throwError(() => new Error('hidden')), 'LINE', ['SERVER ERROR.']],
    [
      'fails because of a reply',
      (replies) =>
        replies.pipe(
          mergeMap((line) => {
            if (line === 'two') throw new Error('hidden');
            return of(line);
          }),
        ),
      'STREAM',
      ['one', 'SERVER ERROR.'],
    ],
  ])('%s, and the next line is served', async (_, intercept, command, told) => {
    const server = await prepareLineApplication(controllersBehind(around(intercept)));
    expect(await talk(server, command, 'PING')).toEqual([...told, 'PONG']);
  });

  it('may end the conversation', async () => {
    const closing = around((replies) => concat(replies, of(CLOSE), of('never')));
    const server = await prepareLineApplication(controllersBehind(closing));
    expect(await talk(server, 'LINE', 'PING')).toEqual(['one']);
    expect(server.stats().connections.ended.quit).toBe(1);
  });

  it('that throws gives the client one line, and the next is served', async () => {
    const throwing: NestInterceptor = {
      intercept: () => {
        throw new Error('hidden');
      },
    };
    const server = await prepareLineApplication(controllersBehind(throwing));
    expect(await talk(server, 'LINE', 'PING')).toEqual(['SERVER ERROR.', 'PONG']);
  });

  it('may be asynchronous itself', async () => {
    const patient: NestInterceptor = {
      intercept: async (_, next) => {
        await Promise.resolve();
        return next.handle();
      },
    };
    const server = await prepareLineApplication(controllersBehind(patient));
    expect(await talk(server, 'STREAM', 'PING')).toEqual(['one', 'two', 'PONG']);
  });
});

describe('An interceptor that answers instead of the handler', () => {
  it('keeps it from being called', async () => {
    const called = vi.fn(() => 'computed');
    const known = new Map<string, unknown>();

    @Controller()
    class CachedController {
      @UseInterceptors({
        intercept(host: ExecutionContext, next: CallHandler<unknown>) {
          const { line } = host.switchToRpc().getContext<LineContext>();
          return known.has(line)
            ? of(`${String(known.get(line))} before`)
            : next.handle().pipe(tap((reply) => known.set(line, reply)));
        },
      })
      @Command('SUM', { args: 'words' })
      sum(): LineReply {
        return called();
      }
    }

    const server = await prepareLineApplication([CachedController]);
    expect(await talk(server, 'SUM 1 2', 'SUM 1 2', 'SUM 3')).toEqual([
      'computed',
      'computed before',
      'computed',
    ]);
    expect(called).toHaveBeenCalledTimes(2);
  });
});

describe('An interceptor that sets a limit of time', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] }); // those of rxjs
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each<[string, Around, string]>([
    ['in the words of a failure', (replies) => replies.pipe(timeout(1_000)), 'SERVER ERROR.'],
    [
      'in its own words',
      (replies) => replies.pipe(timeout({ first: 1_000, with: () => of('TOO SLOW') })),
      'TOO SLOW',
    ],
  ])('answers when it is over, %s, and not before', async (_, intercept, told) => {
    const letGo = vi.fn();
    let setAsked: () => void;
    const asked = new Promise<void>((resolve) => {
      setAsked = resolve;
    });

    @Controller()
    class EndlessController {
      @UseInterceptors(around(intercept))
      @Command('ENDLESS')
      endless(): LineStream {
        return new Observable(() => {
          setAsked();
          return letGo;
        });
      }

      @Command('PING')
      ping(): LineReply {
        return 'PONG';
      }
    }

    const server = await prepareLineApplication([EndlessController]);
    const client = new LineConversation(server).send('ENDLESS', 'PING').end();
    await asked;
    vi.advanceTimersByTime(999);
    expect(letGo).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(letGo).toHaveBeenCalledOnce();
    expect(await client.rest()).toEqual([told, 'PONG']);
  });
});

describe('An interceptor that tries again', () => {
  it('has the handler called until it answers', async () => {
    let calls = 0;

    @Controller()
    class FlakyController {
      @UseInterceptors(around((replies) => replies.pipe(retry(2))))
      @Command('FLAKY', { args: 'rest' })
      flaky(): LineReply {
        calls++;
        if (calls < 3) throw new Error('hidden');
        return `after ${calls}`;
      }
    }

    const server = await prepareLineApplication([FlakyController]);
    expect(await talk(server, 'FLAKY', 'FLAKY')).toEqual(['after 3', 'after 4']);
    expect(server.stats().handlerErrors).toBe(0);
  });

  it('gives up as one handler that failed', async () => {
    const call = vi.fn(() => {
      throw new Error('hidden');
    });

    @Controller()
    class BrokenController {
      @UseInterceptors(around((replies) => replies.pipe(retry(2))))
      @Command('BROKEN')
      broken(): LineReply {
        return call();
      }

      @Command('PING')
      ping(): LineReply {
        return 'PONG';
      }
    }

    const server = await prepareLineApplication([BrokenController]);
    expect(await talk(server, 'BROKEN', 'PING')).toEqual(['SERVER ERROR.', 'PONG']);
    expect(call).toHaveBeenCalledTimes(3);
    expect(server.stats().handlerErrors).toBe(1);
  });
});
