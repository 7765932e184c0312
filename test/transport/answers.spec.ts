/** What a handler may return, and what becomes of what it may not. */
import { Controller, Scope, UseInterceptors } from '@nestjs/common';
import { from, map, Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  closeWith,
  Command,
  type LineReply,
  type LineStream,
} from '../../src/line-transport/index.js';
import { nextEvent, startLineApplication } from '../support/line-application.js';
import { AnswersController, FallbackController } from './controllers.js';

async function answerTo(...commands: string[]): Promise<string> {
  const { connect } = await startLineApplication([AnswersController]);
  const client = await connect();
  return client.end(commands.map((command) => `${command}\n`).join('')).transcript();
}

describe('A handler may return', () => {
  it.each([
    ['NUMBER', '42\r\n'],
    ['BOOLEAN', 'true\r\n'],
    ['LINES', 'one\r\ntwo\r\n\r\n'],
    ['NOTHING', ''],
    ['EMPTY', '\r\n'],
    ['PROMISE', 'kept\r\n'],
    ['OBSERVABLE', 'one\r\ntwo\r\nthree\r\n4\r\n'],
    ['ITERABLE', 'one\r\ntwo\r\n'],
    ['PROMISED STREAM', 'one\r\ntwo\r\n'],
    ['STREAM AND CLOSE', 'one\r\n'],
  ])('%s', async (command, reply) => {
    expect(await answerTo(command)).toBe(reply);
  });

  it('lines that hold no line end: a reply cannot forge another', async () => {
    expect(await answerTo('FORGE')).toBe('a JAM 00:00:00\r\nb c d e\r\n');
  });
});

describe('A reply of which a part cannot be said', () => {
  it('is not said at all', async () => {
    const holes: string[] = ['a'];
    holes[2] = 'c';

    @Controller()
    class HalfController {
      @Command('CLOSING')
      closing(): LineReply {
        return closeWith('a', {} as never);
      }

      @Command('HOLES')
      holes(): LineReply {
        return holes;
      }
    }

    const { connect } = await startLineApplication([HalfController]);
    const client = await connect();
    expect(await client.end('CLOSING\nHOLES\n').transcript()).toBe(
      'SERVER ERROR.\r\nSERVER ERROR.\r\n',
    );
  });
});

describe('A handler that fails', () => {
  it.each(['THROW', 'REJECT', 'OBJECT', 'SYMBOL'])(
    'by %s costs its own line alone and tells nothing of why',
    async (command) => {
      expect(await answerTo('NUMBER', command, 'NUMBER')).toBe('42\r\nSERVER ERROR.\r\n42\r\n');
    },
  );

  it.each(['LATE', 'ITERABLE FAILS'])(
    'in the middle of its stream, %s, keeps what it said',
    async (command) => {
      expect(await answerTo(command, 'NUMBER')).toBe('fine\r\nSERVER ERROR.\r\n42\r\n');
    },
  );

  it('is an event with the line and the connection', async () => {
    const { connect, server } = await startLineApplication([AnswersController]);
    const failed = nextEvent(server, 'handlerError');
    const client = await connect();
    client.send('OBJECT\n');
    expect(await client.line()).toBe('SERVER ERROR.');
    expect(await failed).toEqual([
      expect.objectContaining({ id: 1 }),
      'OBJECT',
      expect.objectContaining({
        code: 'ERR_LINE_REPLY',
        message: expect.stringContaining('an object'),
      }),
    ]);
    expect(server.stats().handlerErrors).toBe(1);
  });
});

describe('A stream', () => {
  it('is let go of when the client leaves', async () => {
    const unsubscribed = vi.fn();
    let subscribed = (): void => undefined;
    const running = new Promise<void>((resolve) => {
      subscribed = resolve;
    });

    @Controller()
    class ForeverController {
      @Command('FOREVER')
      forever(): LineStream {
        return new Observable<LineReply>((subscriber) => {
          subscriber.next('first');
          subscribed();
          return unsubscribed;
        });
      }
    }

    const { connect, server } = await startLineApplication([ForeverController]);
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    client.send('FOREVER\n');
    await running;
    await client.line();
    expect(unsubscribed).not.toHaveBeenCalled();
    client.reset();
    await over;
    expect(unsubscribed).toHaveBeenCalledOnce();
  });

  it('waits for a client that does not read', async () => {
    let produced = 0;

    @Controller()
    class FloodController {
      @Command('FLOOD')
      async *flood(): AsyncGenerator<LineReply> {
        for (; produced < 1_000; produced++) yield 'x'.repeat(65_536);
      }
    }

    const { connect } = await startLineApplication([FloodController]);
    const client = await connect();
    client.socket.pause();
    client.send('FLOOD\n');
    await expect.poll(() => produced).toBeGreaterThan(0);
    let before = -1;
    await expect
      .poll(
        () => {
          const stalled = produced === before;
          before = produced;
          return stalled;
        },
        { interval: 100 },
      )
      .toBe(true);
    expect(produced).toBeLessThan(1_000);
    client.socket.resume();
    client.end();
    expect((await client.transcript()).length).toBe(1_000 * 65_538);
  });

  it('is flattened when an interceptor wraps it', async () => {
    @Controller()
    class WrappedController {
      @UseInterceptors({
        intercept: (_, next) => next.handle().pipe(map((reply: unknown) => reply)),
      })
      @Command('WRAPPED')
      async *wrapped(): AsyncGenerator<LineReply> {
        yield 'one';
        yield await Promise.resolve(['two', 'three']);
      }

      @UseInterceptors({ intercept: (_, next) => from([next.handle(), next.handle()]) })
      @Command('TWICE')
      twice(): LineReply {
        return 'said';
      }
    }

    const { connect } = await startLineApplication([WrappedController]);
    const client = await connect();
    client.send('WRAPPED\nTWICE\n');
    expect(await client.lines(5)).toEqual(['one', 'two', 'three', 'said', 'said']);
  });
});

describe('A handler is given', () => {
  it('its context: the line, the pattern and the client', async () => {
    const { connect } = await startLineApplication([AnswersController]);
    const client = await connect();
    client.send('  WHO \r\n');
    const { localPort } = client.socket;
    expect(await client.line()).toBe(`WHO WHO 1 127.0.0.1 ${localPort}`);
  });

  it('every line that is no command, if it asks for them', async () => {
    const { connect, server } = await startLineApplication([FallbackController]);
    const client = await connect();
    client.send('PING\n pong  pang \n');
    expect(await client.lines(2)).toEqual(['PONG', 'what is pong  pang?']);
    expect(server.commands.map(({ name }) => name)).toEqual(['PING']);
    expect(server.stats().protocolErrors.unknownCommand).toBe(0);
  });

  it('a controller of its own for each line in request scope', async () => {
    @Controller({ scope: Scope.REQUEST })
    class FreshController {
      private calls = 0;

      @Command('CALL')
      call(): LineReply {
        return ++this.calls;
      }
    }

    const { connect } = await startLineApplication([FreshController]);
    const client = await connect();
    expect(await client.end('CALL\nCALL\n').transcript()).toBe('1\r\n1\r\n');
  });
});
