/** Lines that a client did not ask for: pushed to one connection, or to all there are. */
import { once } from 'node:events';
import { Controller, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  Command,
  type LineConnection,
  LineContext,
  type LineReply,
  LineServer,
  type LineServerOptions,
  type LineStream,
  OnConnect,
} from '../../src/line-transport/index.js';
import {
  type LineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
import type { TestClient } from '../support/line-client.js';
import { AnswersController, EchoController, Gate } from './controllers.js';

interface Pushed extends LineApplication {
  readonly client: TestClient;
  readonly connection: LineConnection;
}

/** A client that has been answered once, and the server's side of its connection. */
async function startWithClient(
  options: LineServerOptions = {},
  ...args: Parameters<typeof startLineApplication> extends [unknown, unknown?, ...infer Rest]
    ? Rest
    : never
): Promise<Pushed> {
  const application = await startLineApplication([EchoController], options, ...args);
  const connected = nextEvent(application.server, 'connection');
  const client = await application.connect();
  const [connection] = (await connected) as [LineConnection];
  client.send('PING\n');
  expect(await client.line()).toBe('PONG');
  return { ...application, client, connection };
}

/** Resolves with the next line that a server begins to serve on any connection. */
async function nextRequest(server: LineServer): Promise<void> {
  await nextEvent(server, 'request');
}

describe('The connections of a server', () => {
  it('are those whose conversation is not over, as they come and go', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const { connections } = server;
    expect(connections.size).toBe(0);
    const [one, other] = [await connect(), await connect()];
    for (const client of [one, other]) {
      client.send('PING\n');
      await client.line();
    }
    expect([...connections].map(({ id }) => id)).toEqual([1, 2]);
    let over = nextEvent(server, 'disconnection');
    one.end('QUIT\n');
    const [ended] = await over;
    expect([...connections].map(({ id }) => id)).toEqual([2]);
    expect(ended).toMatchObject({ id: 1, over: true });
    over = nextEvent(server, 'disconnection');
    other.reset();
    await over;
    expect(connections.size).toBe(0);
  });

  it('do not hold those who were refused for want of room', async () => {
    const { connect, server } = await startWithClient({ maxConnections: 1 });
    const refused = await connect();
    expect(await refused.transcript()).toBe('SERVER FULL. Try again later.\r\n');
    refused.end();
    expect([...server.connections].map(({ id }) => id)).toEqual([1]);
  });
});

describe('A pushed line', () => {
  it('reaches a client that asks nothing', async () => {
    const { client, connection } = await startWithClient();
    expect(connection.push('news')).toBe(true);
    expect(await client.line()).toBe('news');
    expect(connection.push(['more', '', 'news'])).toBe(true);
    expect(await client.lines(3)).toEqual(['more', '', 'news']);
    expect(connection.push([])).toBe(true);
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
  });

  it('is one line whatever it holds: it forges no reply', async () => {
    const { client, connection } = await startWithClient();
    connection.push('news\r\nPONG');
    connection.push(['a\nb', 'c\rd\0e']);
    expect(await client.lines(3)).toEqual(['news PONG', 'a b', 'c d e']);
  });

  it('that no line can say is an error, and says nothing', async () => {
    const { client, connection } = await startWithClient();
    expect(() => connection.push({ secret: 1 } as never)).toThrow(
      expect.objectContaining({ code: 'ERR_LINE_REPLY' }),
    );
    expect(() => connection.push(['fine', Symbol('odd')] as never)).toThrow(
      expect.objectContaining({ code: 'ERR_LINE_REPLY' }),
    );
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
  });

  it('goes out at once while a slow handler has not answered yet', async () => {
    const { client, connection, server } = await startWithClient();
    const gate = new Gate();
    server.addHandler('HELD', () => gate.pass().then(() => 'at last'));
    const asked = nextRequest(server);
    client.send('HELD\nPING\n');
    await asked;
    connection.push('news');
    expect(await client.line()).toBe('news');
    gate.open();
    expect(await client.lines(2)).toEqual(['at last', 'PONG']);
  });

  it('from a handler comes before its reply, and never inside one of several lines', async () => {
    @Controller()
    class PushingController {
      @Command('LIST')
      list(@Ctx() { connection }: LineContext): LineReply {
        connection.push('before');
        process.nextTick(() => connection.push('tick'));
        queueMicrotask(() => connection.push('microtask'));
        setImmediate(() => connection.push('after'));
        return ['one', 'two', 'three'];
      }
    }

    const { connect } = await startLineApplication([PushingController]);
    const client = await connect();
    client.send('LIST\n');
    const lines = await client.lines(7);
    expect(lines.at(0)).toBe('before');
    expect(lines.at(-1)).toBe('after');
    const begin = lines.indexOf('one');
    expect(lines.slice(begin, begin + 3)).toEqual(['one', 'two', 'three']);
  });

  it('stays between the replies of a client that asks much, whole and in order', async () => {
    const { client, connection, server } = await startWithClient();
    let pushed = 0;
    server.on('request', () => {
      if (server.stats().lines % 100 === 0) connection.push(`news ${++pushed}`);
    });
    const lines = (await client.end('NEXT\n'.repeat(10_000)).transcript()).split('\r\n');
    expect(lines.pop()).toBe('');
    const news = lines.filter((line) => line.startsWith('news'));
    expect(news).toEqual(Array.from({ length: pushed }, (_, index) => `news ${index + 1}`));
    expect(news.length).toBeGreaterThan(90);
    expect(lines.filter((line) => !line.startsWith('news'))).toEqual(
      Array.from({ length: 10_000 }, (_, index) => String(index + 1)),
    );
  });

  it('by whoever hears of a reply comes behind all lines of it', async () => {
    @Controller()
    class TwoController {
      @Command('TWO')
      two(): LineReply {
        return ['one', 'two'];
      }
    }

    const { connect, server } = await startLineApplication([TwoController]);
    server.on('reply', (connection, line) => {
      if (line === 'one') connection.push('heard');
    });
    const client = await connect();
    expect(await client.end('TWO\n').transcript()).toBe('one\r\ntwo\r\nheard\r\n');
  });

  it('is an event "reply", as a greeting is', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      greeting: ['Hello', 'there'],
    });
    const said: unknown[] = [];
    server.on('reply', ({ id }, line) => said.push([id, line]));
    const client = await connect();
    await client.lines(2);
    for (const connection of server.connections) connection.push('a\r\nb');
    await client.line();
    client.send('PING\nNOPE\n');
    await client.lines(2);
    expect(said).toEqual([
      [1, 'Hello'],
      [1, 'there'],
      [1, 'a b'],
      [1, 'PONG'],
    ]);
  });
});

describe('What is pushed while a stream is said', () => {
  async function startWithStream(): Promise<Pushed & { stream: Subject<LineReply> }> {
    const stream = new Subject<LineReply>();
    const pushed = await startWithClient();
    pushed.server.addHandler('STREAM', () => Promise.resolve(stream));
    const asked = nextRequest(pushed.server);
    pushed.client.send('STREAM\nPING\n');
    await asked;
    await expect.poll(() => stream.observed).toBe(true);
    return { ...pushed, stream };
  }

  it('goes out at once as long as the stream has said nothing', async () => {
    const { client, connection, stream } = await startWithStream();
    connection.push('news');
    expect(await client.line()).toBe('news');
    stream.next('one');
    expect(await client.line()).toBe('one');
    stream.complete();
    expect(await client.line()).toBe('PONG');
  });

  it('waits until the stream is complete, and comes right after it, in order', async () => {
    const { client, connection, server, stream } = await startWithStream();
    const said: string[] = [];
    server.on('reply', (_, line) => said.push(line));
    stream.next('one');
    expect(await client.line()).toBe('one');
    expect(connection.push('first')).toBe(true);
    expect(connection.push(['second', 'third'])).toBe(true);
    stream.next('two');
    expect(await client.line()).toBe('two');
    expect(said).toEqual(['one', 'two']);
    stream.complete();
    expect(await client.lines(4)).toEqual(['first', 'second', 'third', 'PONG']);
    expect(said).toEqual(['one', 'two', 'first', 'second', 'third', 'PONG']);
  });

  it('comes after the error line of a stream that fails', async () => {
    const { client, connection, stream } = await startWithStream();
    stream.next('one');
    expect(await client.line()).toBe('one');
    connection.push('news');
    stream.error(new Error('secret'));
    expect(await client.lines(3)).toEqual(['SERVER ERROR.', 'news', 'PONG']);
  });

  it('is said before a conversation that is ended in the middle of it is over', async () => {
    const { client, connection, stream } = await startWithStream();
    stream.next('one');
    expect(await client.line()).toBe('one');
    connection.push('news');
    connection.end('quit', 'bye');
    expect(await client.transcript()).toBe('news\r\nbye\r\n');
    client.end();
    expect(stream.observed).toBe(false);
  });

  it('is neither said nor reported as said when the client is cut', async () => {
    const { client, connection, server, stream } = await startWithStream();
    const said: string[] = [];
    stream.next('one');
    expect(await client.line()).toBe('one');
    server.on('reply', (_, line) => said.push(line));
    connection.push('news');
    const over = nextEvent(server, 'disconnection');
    client.reset();
    await over;
    expect(said).toEqual([]);
  });

  it.each([
    ['long', 'x'.repeat(1_000)],
    ['short', 'news'],
    ['empty', ''],
  ])('is turned down when more than 64 KiB of it wait, in %s lines', async (_, line) => {
    const { client, connection, stream } = await startWithStream();
    stream.next('one');
    expect(await client.line()).toBe('one');
    let accepted = 0;
    while (connection.push(line)) expect(++accepted).toBeLessThan(65_536);
    const length = accepted * `${line}\r\n`.length;
    expect(length).toBeGreaterThan(65_536 - 1_002);
    expect(length).toBeLessThan(65_536 + 1_003);
    stream.complete();
    const expected = `${`${line}\r\n`.repeat(accepted)}PONG\r\n`;
    expect(await client.end().transcript()).toBe(expected);
  });
});

describe('What is pushed before a client is welcomed', () => {
  it('waits until the greeting is over', async () => {
    const gate = new Gate();

    @Injectable()
    class Host {
      @OnConnect()
      async welcome(connection: LineConnection): Promise<LineReply> {
        expect(connection.push('pushed early')).toBe(true);
        await gate.pass();
        return ['Hello', 'there'];
      }

      @OnConnect()
      next(): LineReply {
        return 'and welcome';
      }
    }

    const { connect, server } = await startLineApplication(
      [EchoController],
      { greeting: 'ready' },
      [Host],
    );
    const connected = nextEvent(server, 'connection');
    const client = await connect();
    client.send('PING\n');
    const [connection] = (await connected) as [LineConnection];
    expect(connection.push('pushed late')).toBe(true);
    gate.open();
    expect(await client.lines(7)).toEqual([
      'Hello',
      'there',
      'and welcome',
      'ready',
      'pushed early',
      'pushed late',
      'PONG',
    ]);
  });

  it('is dropped when a hook ends the conversation, however it does', async () => {
    const gate = new Gate();

    @Injectable()
    class Host {
      @OnConnect()
      async refuse(connection: LineConnection): Promise<void> {
        await gate.pass();
        connection.end('refused', 'NOT YOU');
      }
    }

    const { connect, server } = await startLineApplication([EchoController], {}, [Host]);
    const connected = nextEvent(server, 'connection');
    const said: string[] = [];
    server.on('reply', (_, line) => said.push(line));
    const client = await connect();
    const [connection] = (await connected) as [LineConnection];
    expect(connection.push('news')).toBe(true);
    gate.open();
    expect(await client.end().transcript()).toBe('NOT YOU\r\n');
    expect(said).toEqual([]);
  });

  it.each([
    [{ greeting: 'ready' }, ['ready', 'news', 'PONG']],
    [{}, ['news', 'PONG']],
  ])(
    'waits for it also where the event of its connection is heard: %j',
    async (options, expected) => {
      const { connect, server } = await startLineApplication([EchoController], options);
      server.on('connection', (connection) => connection.push('news'));
      const client = await connect();
      client.send('PING\n');
      expect(await client.lines(expected.length)).toEqual(expected);
    },
  );
});

describe('A push is turned down', () => {
  it('when the conversation is over', async () => {
    const { client, connection, server } = await startWithClient();
    const over = nextEvent(server, 'disconnection');
    client.reset();
    await over;
    expect(connection.push('news')).toBe(false);
  });

  it('when the conversation is ending: nothing follows its last line', async () => {
    const { client, connection } = await startWithClient();
    connection.end('quit', 'bye');
    expect(connection.push('news')).toBe(false);
    expect(await client.transcript()).toBe('bye\r\n');
    client.end();
  });

  it('when more than 64 KiB wait for a client that does not read, and costs no memory', async () => {
    const { client, connection } = await startWithClient();
    client.socket.pause();
    const line = 'x'.repeat(1_022);
    let accepted = 0;
    const pushTurn = async (): Promise<boolean> => {
      const before = accepted;
      while (connection.push(`${accepted} ${line}`)) accepted++;
      await new Promise((resolve) => setImmediate(resolve));
      return accepted > before;
    };
    while (await pushTurn()); // what the system takes makes room for more
    const before = process.memoryUsage().rss;
    for (let turned = 0; turned < 100_000; turned++) {
      expect(connection.push(line)).toBe(false);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1_048_576);
    client.socket.resume();
    const lines = await client.lines(accepted);
    expect(lines.map((text) => Number(text.split(' ')[0]))).toEqual(
      Array.from({ length: accepted }, (_, index) => index),
    );
    await expect.poll(() => connection.push('read again')).toBe(true);
    expect(await client.line()).toBe('read again');
  });

  it('to one who does not read, and not to others', async () => {
    const { client: lazy, connect, server } = await startWithClient();
    const reader = await connect();
    lazy.socket.pause();
    let pushed = 0;
    const refusals = new Set<number>();
    while (refusals.size === 0) {
      for (const connection of server.connections) {
        if (!connection.push('x'.repeat(16_384))) refusals.add(connection.id);
      }
      pushed++;
      await reader.line();
    }
    expect([...refusals]).toEqual([1]);
    for (const connection of server.connections) connection.push('last');
    expect(await reader.line()).toBe('last');
    expect(pushed).toBeGreaterThan(4);
    lazy.socket.on('error', () => undefined).destroy();
  });
});

describe('A line is pushed to all clients', () => {
  it('by a handler of one of them', async () => {
    @Controller()
    class ChatController {
      constructor(private readonly server: LineServer) {}

      @Command('SAY', { args: 'rest' })
      say(@Ctx() { connection, line }: LineContext): LineReply {
        for (const other of this.server.connections) {
          if (other !== connection) other.push(`${connection.id} says ${line.slice(4)}`);
        }
        return 'said';
      }
    }

    const { connect } = await startLineApplication([ChatController, EchoController]);
    const clients = [await connect(), await connect(), await connect()];
    for (const client of clients) {
      client.send('PING\n');
      await client.line();
    }
    const [one, two, three] = clients as [TestClient, TestClient, TestClient];
    one.send('SAY hello\n');
    expect(await one.line()).toBe('said');
    expect(await two.line()).toBe('1 says hello');
    expect(await three.line()).toBe('1 says hello');
    two.send('SAY hi\n');
    expect(await one.line()).toBe('2 says hi');
    expect(await two.line()).toBe('said');
    expect(await three.line()).toBe('2 says hi');
  });

  it('by a provider with a timer, until the application is closed', async () => {
    @Injectable()
    class Ticker implements OnModuleDestroy {
      readonly #timer = setInterval(() => {
        for (const connection of this.server.connections) connection.push('tick');
      }, 5);

      constructor(private readonly server: LineServer) {}

      onModuleDestroy(): void {
        clearInterval(this.#timer);
      }
    }

    const { app, connect } = await startLineApplication([EchoController], {}, [Ticker]);
    const clients = [await connect(), await connect()];
    for (const client of clients) expect(await client.lines(3)).toEqual(['tick', 'tick', 'tick']);
    const closed = Promise.all(clients.map((client) => once(client.socket, 'close')));
    const [transcripts] = await Promise.all([
      Promise.all(clients.map((client) => client.transcript())),
      app.close().then(() => clients.map((client) => client.end())),
    ]);
    for (const transcript of transcripts) expect(transcript).toMatch(/^(tick\r\n)*$/);
    await closed;
  });

  it('also to those whom a stream keeps busy, when it is over', async () => {
    const stream = new Subject<string>();

    @Controller()
    class StreamController {
      @Command('STREAM')
      stream(): LineStream {
        return stream;
      }
    }

    const { connect, server } = await startLineApplication([StreamController, AnswersController]);
    const [listener, other] = [await connect(), await connect()];
    other.send('NUMBER\n');
    await other.line();
    listener.send('STREAM\n');
    await expect.poll(() => stream.observed).toBe(true);
    stream.next('one');
    expect(await listener.line()).toBe('one');
    for (const connection of server.connections) connection.push('news');
    expect(await other.line()).toBe('news');
    stream.next('two');
    stream.complete();
    expect(await listener.lines(2)).toEqual(['two', 'news']);
  });
});
