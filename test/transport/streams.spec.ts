/** Streams of replies: when they begin, how fast they go, and who ends them. */
import { duplexPair } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Controller, ParseIntPipe, UseInterceptors } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { concat, from, map, NEVER, Observable, of, range, Subject, take, throwError } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  Arg,
  CLOSE,
  Command,
  type LineReply,
  type LineServer,
  type LineStream,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { createLineApplication } from '../support/line-application.js';
import { prepareLineApplication, talk } from '../support/talk.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A source that tells when it is subscribed to, and when it is let go of. */
function watched() {
  const letGo = vi.fn();
  const lines = new Subject<LineReply>();
  const source = new Observable<LineReply>((subscriber) => {
    const subscription = lines.subscribe(subscriber);
    return () => {
      subscription.unsubscribe();
      letGo();
    };
  });
  const running = () => vi.waitUntil(() => lines.observed);
  return { lines, source, letGo, running };
}

const passing = UseInterceptors({
  intercept: (_, next) => next.handle().pipe(map((reply: unknown) => reply)),
});

function over(server: LineServer): Promise<unknown> {
  return new Promise((resolve) => server.on('disconnection', resolve));
}

describe('A stream', () => {
  it('is told line by line as it comes, and what the client sends meanwhile waits', async () => {
    const { lines, source, running } = watched();

    @Controller()
    class NewsController {
      @Command('NEWS')
      news(): LineStream {
        return source;
      }

      @Command('PING')
      ping(): LineReply {
        return 'PONG';
      }
    }

    const server = await prepareLineApplication([NewsController]);
    const client = new LineConversation(server).send('NEWS', 'PING').end();
    await running();
    lines.next('one');
    expect(await client.next()).toBe('one');
    lines.next(['two', 'three']);
    expect([await client.next(), await client.next()]).toEqual(['two', 'three']);
    expect(await talk(server, 'PING')).toEqual(['PONG']);
    lines.complete();
    expect(await client.rest()).toEqual(['PONG']);
  });

  it('that is emitted all at once is told whole and in order', async () => {
    const numbers = Array.from({ length: 20_000 }, (_, index) => index);

    @Controller()
    class NumbersController {
      @passing
      @Command('BEHIND')
      behind(): LineStream {
        return from(numbers);
      }

      @Command('NUMBERS')
      numbers(): LineStream {
        return from(numbers);
      }
    }

    const server = await prepareLineApplication([NumbersController]);
    expect(await talk(server, 'NUMBERS')).toEqual(numbers.map(String));
    expect(await talk(server, 'BEHIND')).toEqual(numbers.map(String));
  });

  it('however long is told in time that grows with its length', async () => {
    @Controller()
    class RangeController {
      @Command('RANGE', { args: ['count'] })
      range(@Arg('count', ParseIntPipe) count: number): LineStream {
        return range(0, count);
      }
    }

    const server = await prepareLineApplication([RangeController]);
    const told = await talk(server, 'RANGE 300000'); // for minutes, if each line moved those behind it
    expect(told.length).toBe(300_000);
    expect(told.at(-1)).toBe('299999');
  });

  it('whose iterator has ended is not told to end again', async () => {
    const ended = vi.fn(() => Promise.reject(new Error('rolled back')));

    @Controller()
    class RowsController {
      @Command('ROWS')
      rows(): LineStream {
        const rows = ['a', 'b'];
        const next = async (): Promise<IteratorResult<string, undefined>> => {
          const value = rows.shift();
          return value === undefined ? { done: true, value } : { done: false, value };
        };
        return { [Symbol.asyncIterator]: () => ({ next, return: ended }) };
      }

      @Command('FAILS')
      fails(): LineStream {
        const next = (): Promise<IteratorResult<string, undefined>> =>
          Promise.reject(new RpcException('no rows'));
        return { [Symbol.asyncIterator]: () => ({ next, return: ended }) };
      }
    }

    const server = await prepareLineApplication([RowsController]);
    expect(await talk(server, 'ROWS', 'FAILS')).toEqual(['a', 'b', 'ERROR: no rows']);
    expect(ended).not.toHaveBeenCalled();
  });

  it('that says CLOSE ends the conversation there, and is let go of', async () => {
    const { lines, source, letGo, running } = watched();

    @Controller()
    class NewsController {
      @Command('NEWS')
      news(): LineStream {
        return source;
      }
    }

    const server = await prepareLineApplication([NewsController]);
    const client = new LineConversation(server).send('NEWS', 'NEWS');
    await running();
    lines.next('one');
    lines.next(CLOSE);
    lines.next('never');
    expect(await client.rest()).toEqual(['one']);
    expect(letGo).toHaveBeenCalledOnce();
    client.end();
  });

  it('is subscribed to once for each line that asks for it', async () => {
    const subscribed = vi.fn();
    const source = new Observable<LineReply>((subscriber) => {
      subscribed();
      subscriber.next('one');
      subscriber.complete();
    });

    @Controller()
    class OnceController {
      @Command('ONCE')
      once(): LineStream {
        return source;
      }
    }

    const server = await prepareLineApplication([OnceController]);
    expect(await talk(server, 'ONCE')).toEqual(['one']);
    expect(subscribed).toHaveBeenCalledTimes(1);
    expect(await talk(server, 'ONCE', 'ONCE')).toEqual(['one', 'one']);
    expect(subscribed).toHaveBeenCalledTimes(3);
  });
});

describe('A stream without end', () => {
  const { lines, source, letGo, running } = watched();

  @Controller()
  class EndlessController {
    @Command('ENDLESS')
    endless(): LineStream {
      return source;
    }

    @passing
    @Command('BEHIND')
    behind(): LineStream {
      return concat(source, NEVER);
    }
  }

  it.each(['ENDLESS', 'BEHIND'])('ends with its client: %s', async (command) => {
    letGo.mockClear();
    const server = await prepareLineApplication([EndlessController]);
    const client = new LineConversation(server).send(command);
    await running();
    lines.next('one');
    expect(await client.next()).toBe('one');
    expect(letGo).not.toHaveBeenCalled();
    const gone = over(server);
    client.disconnect();
    await gone;
    expect(letGo).toHaveBeenCalledOnce();
    expect(server.stats()).toMatchObject({ handlerErrors: 0, rejected: 0 });
  });

  it('goes on for a client that has said everything, and still reads', async () => {
    letGo.mockClear();
    const server = await prepareLineApplication([EndlessController]);
    const client = new LineConversation(server).send('ENDLESS').end();
    await running();
    for (let turns = 0; turns < 10; turns++) await turn();
    lines.next('still there');
    expect(await client.next()).toBe('still there');
    expect(letGo).not.toHaveBeenCalled();
    client.disconnect();
    expect(await client.rest()).toEqual([]);
  });

  it.each(['ENDLESS', 'BEHIND'])('ends with the server, after its grace: %s', async (command) => {
    letGo.mockClear();
    const { app, server } = await createLineApplication([EndlessController], {
      shutdownGraceMs: 50,
    });
    await app.init();
    const client = new LineConversation(server).send(command);
    await running();
    const closing = app.close();
    lines.next('last');
    expect(await client.next()).toBe('last');
    await closing;
    expect(letGo).toHaveBeenCalledOnce();
    expect(server.stats().connections.ended.shutdown).toBe(1);
  });
});

describe('An AsyncIterable', () => {
  const SIZE = 65_536;
  const TOTAL = 200;

  function flood() {
    const seen = { produced: 0, ended: 0 };

    async function* generate(): AsyncGenerator<LineReply> {
      try {
        while (seen.produced < TOTAL) {
          seen.produced++;
          yield 'x'.repeat(SIZE);
        }
      } finally {
        seen.ended++;
      }
    }

    @Controller()
    class FloodController {
      @Command('FLOOD')
      flood(): LineStream {
        return generate();
      }

      @passing
      @Command('BEHIND')
      behind(): LineStream {
        return generate();
      }

      @passing
      @Command('BEHIND AND MORE')
      behindAndMore(): LineStream {
        return concat(of(generate()), of('more')) as never;
      }
    }

    return { seen, FloodController };
  }

  const COMMANDS = ['FLOOD', 'BEHIND', 'BEHIND AND MORE'];

  it.each(COMMANDS)('is asked for no more than a client reads: %s', async (command) => {
    const { seen, FloodController } = flood();
    const server = await prepareLineApplication([FloodController]);
    const [client, socket] = duplexPair();
    server.serve(socket);
    client.write(`${command}\r\n`);
    await vi.waitUntil(() => seen.produced > 0);
    for (let turns = 0; turns < 50; turns++) await turn();
    expect(seen).toEqual({ produced: expect.any(Number), ended: 0 });
    expect(seen.produced).toBeLessThan(10);
    client.end();
    const more = command === 'BEHIND AND MORE' ? 'more\r\n'.length : 0;
    expect(await buffer(client)).toHaveLength(TOTAL * (SIZE + 2) + more);
    expect(seen).toEqual({ produced: TOTAL, ended: 1 });
  });

  it.each(COMMANDS)('is let go of when its client goes: %s', async (command) => {
    const { seen, FloodController } = flood();
    const server = await prepareLineApplication([FloodController]);
    const [client, socket] = duplexPair();
    server.serve(socket);
    client.write(`${command}\r\n`);
    await vi.waitUntil(() => seen.produced > 0);
    const gone = over(server);
    socket.destroy();
    await gone;
    await vi.waitUntil(() => seen.ended === 1);
    expect(seen.produced).toBeLessThan(10);
    expect(server.stats().handlerErrors).toBe(0);
  });

  it.each(['BARE', 'BEHIND'])('that fails keeps what it said, once: %s', async (command) => {
    async function* failing(): AsyncGenerator<LineReply> {
      yield 'fine';
      throw new Error('hidden');
    }

    @Controller()
    class FailingController {
      @Command('BARE')
      bare(): LineStream {
        return failing();
      }

      @passing
      @Command('BEHIND')
      behind(): LineStream {
        return failing();
      }
    }

    const server = await prepareLineApplication([FailingController]);
    expect(await talk(server, command, command)).toEqual([
      'fine',
      'SERVER ERROR.',
      'fine',
      'SERVER ERROR.',
    ]);
    expect(server.stats().handlerErrors).toBe(2);
  });

  it('in a stream is told in its place, before what failed behind it', async () => {
    async function* pair(): AsyncGenerator<LineReply> {
      yield 'one';
      await turn();
      yield 'two';
    }

    @Controller()
    class MixedController {
      @Command('MIXED')
      mixed(): LineStream {
        return concat(of('zero', pair(), of('three', 'four').pipe(take(1)), pair())) as never;
      }

      @Command('FAILS')
      fails(): LineStream {
        return concat(
          of(pair()),
          throwError(() => new Error('hidden')),
        ) as never;
      }
    }

    const server = await prepareLineApplication([MixedController]);
    expect(await talk(server, 'MIXED', 'FAILS', 'FAILS')).toEqual([
      'zero',
      'one',
      'two',
      'three',
      'one',
      'two',
      'one',
      'two',
      'SERVER ERROR.',
      'one',
      'two',
      'SERVER ERROR.',
    ]);
  });
});
