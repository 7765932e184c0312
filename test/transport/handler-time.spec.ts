/** How long a handler may take, and how it learns that nobody waits for its answer any more. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Controller } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { EMPTY, from, merge, NEVER, Observable, of, Subject } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  Command,
  LineContext,
  LineError,
  type LineReply,
  LineServer,
  type LineServerOptions,
  type LineStream,
} from '../../src/line-transport/index.js';
import {
  type LineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
import type { TestClient } from '../support/line-client.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { EchoController, Gate } from './controllers.js';

const SHORT = { handlerTimeoutMs: 30 };
const LATE = 'NO ANSWER IN TIME.';

type Answer = LineReply | LineStream | Promise<LineReply | LineStream>;

/** A server with a command HELD that is answered by the test. */
async function startHeld(
  answer: (context: LineContext) => Answer,
  options: LineServerOptions = SHORT,
): Promise<LineApplication> {
  @Controller()
  class HeldController {
    @Command('HELD')
    held(@Ctx() context: LineContext): Answer {
      return answer(context);
    }
  }

  return startLineApplication([EchoController, HeldController], options);
}

/** What became of a line's signal. */
async function aborted({ signal }: LineContext): Promise<unknown> {
  if (!signal.aborted) await once(signal, 'abort');
  return signal.reason;
}

describe('A handler that takes too long', () => {
  it('costs its own line: the client is told so, and the next line is served', async () => {
    const { connect, server } = await startHeld(() => new Promise(() => undefined));
    const failed = nextEvent(server, 'handlerError');
    const client = await connect();
    expect(await client.end('PING\nHELD\nPING\nHELD\nNEXT\n').transcript()).toBe(
      `PONG\r\n${LATE}\r\nPONG\r\n${LATE}\r\n1\r\n`,
    );
    expect(await failed).toEqual([
      expect.objectContaining({ id: 1 }),
      'HELD',
      expect.objectContaining({ code: 'ERR_LINE_TIMEOUT' }),
    ]);
    expect(server.stats().handlerErrors).toBe(2);
  });

  it('is never given up before its time', async () => {
    const { connect } = await startHeld(() => new Promise(() => undefined), {
      handlerTimeoutMs: 150,
    });
    const client = await connect();
    for (let round = 0; round < 3; round++) {
      const begun = performance.now();
      client.send('HELD\n');
      expect(await client.line()).toBe(LATE);
      expect(performance.now() - begun).toBeGreaterThanOrEqual(149);
    }
  });

  it('costs no other client time', async () => {
    const { connect } = await startHeld(() => new Promise(() => undefined), {
      handlerTimeoutMs: 60_000,
    });
    const [slow, quick] = [await connect(), await connect()];
    slow.send('HELD\n');
    quick.send('PING\n');
    expect(await quick.line()).toBe('PONG');
    expect(slow.received).toBe('');
  });

  it('is not waited for longer when the server closes', async () => {
    const { connect, server } = await startHeld(() => new Promise(() => undefined), {
      ...SHORT,
      shutdownGraceMs: 10_000,
    });
    const asked = nextEvent(server, 'request');
    const client = await connect();
    client.send('HELD\nPING\n');
    await asked;
    const closed = server.close();
    expect(await client.transcript()).toBe(`${LATE}\r\nPONG\r\n`);
    client.end();
    await closed;
  });

  it('has its words from the options', async () => {
    const words = { ...new LineServer().options.words, handlerTimeout: 'TOO LATE' };
    const { connect } = await startHeld(() => new Promise(() => undefined), { ...SHORT, words });
    expect(await (await connect()).end('HELD\n').transcript()).toBe('TOO LATE\r\n');
  });

  it('may do so for ever where the limit is 0', async () => {
    const gate = new Gate();
    const { connect } = await startHeld(() => gate.pass().then(() => 'at last'), {
      handlerTimeoutMs: 0,
      idleTimeoutMs: 50,
    });
    const [waiting, idle] = [await connect(), await connect()];
    waiting.send('HELD\n');
    expect(await idle.transcript()).toBe('TIMED OUT.\r\n'); // limits have been checked meanwhile
    idle.end();
    expect(waiting.received).toBe('');
    gate.open();
    expect(await waiting.line()).toBe('at last');
  });

  it('is an event handler too: nobody is told, and the next line is served', async () => {
    const { connect, server } = await startLineApplication([EchoController], SHORT);
    server.addHandler('NOTE', () => new Promise(() => undefined), true);
    const failed = nextEvent(server, 'handlerError');
    const client = await connect();
    expect(await client.end('NOTE\nPING\n').transcript()).toBe('PONG\r\n');
    expect((await failed)[1]).toBe('NOTE');
  });
});

/** As an observability library does. */
function observed(server: LineServer): void {
  server.setOnProcessingStartHook((_transport, _context, done) => {
    void done();
  });
}

describe('What a handler answers too late is dropped', () => {
  /** Answers HELD when it is too late, and then tells what the client is told until it ends. */
  async function transcriptWith(
    answer: Answer,
    failures = 1,
    prepare: (server: LineServer) => void = () => undefined,
  ): Promise<string> {
    const gate = new Gate();
    const { connect, server } = await startHeld(() => gate.pass().then(() => answer));
    prepare(server);
    const client = await connect();
    client.send('HELD\nPING\n');
    expect(await client.lines(2)).toEqual([LATE, 'PONG']);
    gate.open();
    const transcript = await client.end('NEXT\n').transcript();
    expect(server.stats().handlerErrors).toBe(failures);
    return transcript;
  }

  it.each<[string, Answer]>([
    ['a line', 'late'],
    ['lines', ['late', 'later']],
    ['what no line can say', { secret: 1 } as never],
  ])('%s', async (_, answer) => {
    expect(await transcriptWith(answer)).toBe('1\r\n');
  });

  it('an Observable, which nobody subscribes to', async () => {
    const subscribed = vi.fn<() => void>();
    const stream = new Observable<LineReply>(() => subscribed());
    expect(await transcriptWith(stream)).toBe('1\r\n');
    expect(subscribed).not.toHaveBeenCalled();
  });

  it('an iterator, which is returned', async () => {
    const next = vi.fn<() => Promise<IteratorResult<LineReply>>>();
    const returned = vi.fn(() => Promise.resolve({ done: true as const, value: undefined }));
    const stream = { [Symbol.asyncIterator]: () => ({ next, return: returned }) };
    expect(await transcriptWith(stream)).toBe('1\r\n');
    expect(returned).toHaveBeenCalledOnce();
    expect(next).not.toHaveBeenCalled();
  });

  it.each([
    ['', () => undefined],
    [', also when processing is observed', observed],
  ])('what is read from, which is closed%s', async (_, prepare) => {
    const read = vi.fn<() => void>();
    const stream = new Readable({ objectMode: true, read });
    expect(await transcriptWith(stream, 1, prepare)).toBe('1\r\n');
    expect(stream.destroyed).toBe(true);
    expect(read).not.toHaveBeenCalled();
  });

  it('an iterator that cannot be returned, which is reported and harms nobody', async () => {
    const stream = {
      [Symbol.asyncIterator]: () => ({
        next: () => Promise.reject(new Error('next')),
        return: () => Promise.reject(new Error('return')),
      }),
    };
    expect(await transcriptWith(stream, 2)).toBe('1\r\n');
  });

  it('the first line of a generator, which is let go of', async () => {
    const gate = new Gate();
    const left = new Gate();
    async function* generate(): AsyncGenerator<LineReply> {
      try {
        await gate.pass();
        yield 'late';
        yield 'later';
      } finally {
        left.open();
      }
    }
    const { connect } = await startHeld(generate);
    const client = await connect();
    client.send('HELD\nPING\n');
    expect(await client.lines(2)).toEqual([LATE, 'PONG']);
    gate.open();
    await left.pass();
    expect(await client.end('NEXT\n').transcript()).toBe('1\r\n');
  });

  it('what an Observable emits, which is unsubscribed from at once', async () => {
    const source = new Subject<string>();
    const { connect } = await startHeld(() => source);
    const client = await connect();
    client.send('HELD\nPING\n');
    expect(await client.lines(2)).toEqual([LATE, 'PONG']);
    expect(source.observed).toBe(false);
    source.next('late');
    expect(await client.end('NEXT\n').transcript()).toBe('1\r\n');
  });

  it('also while the next line is being served, whose answer it is not taken for', async () => {
    const [first, second] = [new Gate(), new Gate()];
    const { connect, server } = await startHeld(() => first.pass().then(() => 'late'));
    server.addHandler('THEN', () => second.pass().then(() => 'in time'));
    const client = await connect();
    client.send('HELD\n');
    expect(await client.line()).toBe(LATE);
    const asked = nextEvent(server, 'request');
    client.send('THEN\n');
    await asked;
    first.open();
    second.open();
    expect(await client.line()).toBe('in time');
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
  });

  it('and so is the failure of one who heeds the signal', async () => {
    const { connect, server } = await startHeld(async ({ signal }) => {
      await delay(60_000, undefined, { signal });
    });
    const client = await connect();
    expect(await client.end('HELD\nPING\n').transcript()).toBe(`${LATE}\r\nPONG\r\n`);
    expect(server.stats().handlerErrors).toBe(1);
  });

  it('and so is the reason of the signal, thrown as it is', async () => {
    const { connect, server } = await startHeld(async (context) => {
      await aborted(context);
      context.signal.throwIfAborted();
    });
    const client = await connect();
    expect(await client.end('HELD\nPING\n').transcript()).toBe(`${LATE}\r\nPONG\r\n`);
    expect(server.stats().handlerErrors).toBe(1);
  });

  it.each([
    [
      'whose name cannot be read',
      Object.defineProperty(new Error('odd'), 'name', {
        get: () => {
          throw new Error('no name');
        },
      }),
    ],
    [
      'that is a Proxy',
      new Proxy(
        {},
        {
          getPrototypeOf: () => {
            throw new Error('no prototype');
          },
        },
      ),
    ],
  ])('and costs nothing else, also something %s', async (_, thrown) => {
    const gate = new Gate();
    const { connect, server } = await startHeld(() =>
      gate.pass().then(() => {
        throw thrown;
      }),
    );
    const client = await connect();
    client.send('HELD\n');
    expect(await client.line()).toBe(LATE);
    const failed = nextEvent(server, 'handlerError');
    gate.open();
    expect((await failed)[2]).toBe(thrown);
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
  });

  it('but another failure is a defect, and reported', async () => {
    const gate = new Gate();
    const { connect, server } = await startHeld(() =>
      gate.pass().then(() => {
        throw new Error('too late');
      }),
    );
    const client = await connect();
    client.send('HELD\n');
    expect(await client.line()).toBe(LATE);
    const failed = nextEvent(server, 'handlerError');
    gate.open();
    expect((await failed).slice(1)).toEqual([
      'HELD',
      expect.objectContaining({ message: 'too late' }),
    ]);
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
    expect(server.stats().handlerErrors).toBe(2);
  });
});

describe('A stream', () => {
  it('that has begun to answer is not given up, however long it pauses', async () => {
    const source = new Subject<string>();
    const { connect, server } = await startHeld(() => merge(of('one'), source));
    server.addHandler('NEVER', () => new Promise(() => undefined));
    const [client, other] = [await connect(), await connect()];
    client.send('HELD\nPING\n');
    expect(await client.line()).toBe('one');
    for (let round = 0; round < 2; round++) {
      other.send('NEVER\n');
      expect(await other.line()).toBe(LATE); // the time is over meanwhile
    }
    expect(client.received).toBe('');
    source.next('two');
    source.complete();
    expect(await client.lines(2)).toEqual(['two', 'PONG']);
  });

  it('that has not begun is given up', async () => {
    const { connect } = await startHeld(() => NEVER);
    expect(await (await connect()).end('HELD\nPING\n').transcript()).toBe(`${LATE}\r\nPONG\r\n`);
  });

  it.each<[string, () => Answer, string]>([
    ['that is empty is in time', () => EMPTY, ''],
    ['that is done at once is in time', () => of('one', 'two'), 'one\r\ntwo\r\n'],
    ['of many lines is in time', () => from(Array<string>(1_000).fill('x')), 'x\r\n'.repeat(1_000)],
  ])('%s', async (_, answer, told) => {
    const { connect, server } = await startHeld(answer);
    expect(await (await connect()).end('HELD\nPING\n').transcript()).toBe(`${told}PONG\r\n`);
    expect(server.stats().handlerErrors).toBe(0);
  });
});

describe('A command with a limit of its own', () => {
  @Controller()
  class LimitsController {
    readonly gate = new Gate();

    @Command('SHORT', { timeoutMs: 30 })
    short(): Promise<LineReply> {
      return new Promise(() => undefined);
    }

    @Command('LONG', { timeoutMs: 60_000 })
    long(): Promise<LineReply> {
      return this.gate.pass().then(() => 'long');
    }

    @Command('EVER', { timeoutMs: 0 })
    ever(): Promise<LineReply> {
      return this.gate.pass().then(() => 'ever');
    }

    @Command('USUAL')
    usual(): Promise<LineReply> {
      return new Promise(() => undefined);
    }
  }

  it('is given up after it, although the server has none', async () => {
    const { connect } = await startLineApplication([LimitsController], { handlerTimeoutMs: 0 });
    expect(await (await connect()).end('SHORT\nSHORT\n').transcript()).toBe(
      `${LATE}\r\n${LATE}\r\n`,
    );
  });

  it.each(['LONG', 'EVER'])('may take longer than others: %s', async (command) => {
    const { app, connect } = await startLineApplication([LimitsController], SHORT);
    const [client, other] = [await connect(), await connect()];
    client.send(`${command}\n`);
    expect(await other.end('USUAL\nUSUAL\nUSUAL\n').transcript()).toBe(`${LATE}\r\n`.repeat(3));
    expect(client.received).toBe('');
    app.get(LimitsController).gate.open();
    expect(await client.line()).toBe(command.toLowerCase());
  });
});

describe('A handler whose client does not read', () => {
  it('is given up all the same', async () => {
    const signals: AbortSignal[] = [];
    const { connect, server } = await startHeld((context) => {
      signals.push(context.signal);
      context.connection.push('x'.repeat(1_000_000)); // more than the socket takes at once, so the client is waited for
      return new Promise(() => undefined);
    });
    const client = await connect();
    client.socket.pause();
    const failed = nextEvent(server, 'handlerError');
    client.send('HELD\n');
    expect((await failed)[2]).toMatchObject({ code: 'ERR_LINE_TIMEOUT' });
    expect(signals[0]?.aborted).toBe(true);
    client.reset();
  });
});

describe("The signal of a line's context", () => {
  it('is aborted with ERR_LINE_TIMEOUT when the handler has taken too long', async () => {
    const reasons: unknown[] = [];
    const { connect } = await startHeld(async (context) => {
      reasons.push(await aborted(context));
    });
    expect(await (await connect()).end('HELD\n').transcript()).toBe(`${LATE}\r\n`);
    expect(reasons).toEqual([expect.objectContaining({ code: 'ERR_LINE_TIMEOUT' })]);
    expect(reasons[0]).toBeInstanceOf(LineError);
  });

  /** A client whose line is being served, and the context it is served with. */
  async function startServing(options: LineServerOptions = {}): Promise<
    LineApplication & {
      client: TestClient;
      context: LineContext;
      answer: Gate;
    }
  > {
    const answer = new Gate();
    const served: LineContext[] = [];
    const application = await startHeld((context) => {
      served.push(context);
      return answer.pass().then(() => 'answer');
    }, options);
    const client = await application.connect();
    client.send('HELD\n');
    await expect.poll(() => served.length).toBe(1);
    return { ...application, client, context: served[0] as LineContext, answer };
  }

  it('is aborted with ERR_LINE_CLOSED when the client has gone', async () => {
    const { client, context } = await startServing();
    expect(context.signal.aborted).toBe(false);
    client.reset();
    expect(await aborted(context)).toMatchObject({ name: 'LineError', code: 'ERR_LINE_CLOSED' });
  });

  it('is aborted with ERR_LINE_CLOSED when the server cuts the conversation', async () => {
    const { client, context, server } = await startServing({ shutdownGraceMs: 20 });
    const closed = server.close();
    expect(context.signal.aborted).toBe(false);
    await closed;
    expect(context.signal.aborted).toBe(true);
    expect(context.signal.reason).toMatchObject({ code: 'ERR_LINE_CLOSED' });
    await client.ended();
  });

  it('is aborted when it is asked for only after that', async () => {
    const { client, context, server } = await startServing();
    const over = nextEvent(server, 'disconnection');
    client.reset();
    await over;
    expect(context.signal.aborted).toBe(true);
    expect(context.signal.reason).toMatchObject({ code: 'ERR_LINE_CLOSED' });
    expect(context.signal).toBe(context.signal);
  });

  it('has the first reason, also when the client goes after the handler has taken too long', async () => {
    const { client, context, server } = await startServing(SHORT);
    expect(await client.line()).toBe(LATE);
    const over = nextEvent(server, 'disconnection');
    client.reset();
    await over;
    expect(context.signal.reason).toMatchObject({ code: 'ERR_LINE_TIMEOUT' });
  });

  it('is not aborted by the answer, nor when the client goes after it', async () => {
    const { answer, client, context, server } = await startServing();
    const { signal } = context;
    answer.open();
    expect(await client.line()).toBe('answer');
    const over = nextEvent(server, 'disconnection');
    client.reset();
    await over;
    expect(signal.aborted).toBe(false);
    expect(context.signal.aborted).toBe(false);
  });

  it('is not aborted by a client that has closed its side and waits for its reply', async () => {
    const { answer, client, context, connect } = await startServing({ idleTimeoutMs: 50 });
    client.end();
    const idle = await connect();
    expect(await idle.transcript()).toBe('TIMED OUT.\r\n'); // the FIN has long been read
    idle.end();
    expect(context.signal.aborted).toBe(false);
    answer.open();
    expect(await client.transcript()).toBe('answer\r\n');
    expect(context.signal.aborted).toBe(false);
  });

  it('is aborted while a stream is said', async () => {
    const source = new Subject<string>();
    const served: LineContext[] = [];
    const { connect } = await startHeld((context) => {
      served.push(context);
      return merge(of('one'), source);
    });
    const client = await connect();
    client.send('HELD\n');
    expect(await client.line()).toBe('one');
    const [context] = served as [LineContext];
    expect(context.signal.aborted).toBe(false);
    client.reset();
    expect(await aborted(context)).toMatchObject({ code: 'ERR_LINE_CLOSED' });
    expect(source.observed).toBe(false);
  });

  it('is another for every line', async () => {
    const signals: AbortSignal[] = [];
    const { connect } = await startHeld(({ signal }) => {
      signals.push(signal);
      return signals.length === 1 ? new Promise(() => undefined) : 'in time';
    });
    expect(await (await connect()).end('HELD\nHELD\n').transcript()).toBe(`${LATE}\r\nin time\r\n`);
    expect(signals.map(({ aborted: isAborted }) => isAborted)).toEqual([true, false]);
  });

  it('ends a request of the handler with the line, and the end is no defect', async () => {
    const { connect, server } = await startHeld(
      async ({ signal }) => {
        await delay(60_000, undefined, { signal });
        return 'never';
      },
      { handlerTimeoutMs: 60_000 },
    );
    const over = nextEvent(server, 'disconnection');
    const asked = nextEvent(server, 'request');
    const client = await connect();
    client.send('HELD\n');
    await asked;
    client.reset();
    await over;
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.stats().handlerErrors).toBe(0);
  });
});

describe('When the last client has gone', () => {
  const TIMERS = 'Timeout';
  const timers = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === TIMERS).length;

  it('no timer is left, whatever its handler still does', async () => {
    const before = timers();
    const { connect, server } = await startHeld(() => new Promise(() => undefined), {
      handlerTimeoutMs: 20,
      idleTimeoutMs: 60_000,
    });
    const client = await connect();
    const over = nextEvent(server, 'disconnection');
    client.send('HELD\n');
    expect(await client.line()).toBe(LATE);
    client.reset();
    await over;
    await expect.poll(timers, { interval: 1 }).toBeLessThanOrEqual(before + 1); // the poll's own
  });

  it('and the server is closed, a process may end although a handler never did', async () => {
    const transport = new URL('../../dist/line-transport/index.js', import.meta.url);
    const program = `
      import { once } from 'node:events';
      import { connect } from 'node:net';
      import { LineServer } from ${JSON.stringify(transport.href)};
      const server = new LineServer({ host: '127.0.0.1', handlerTimeoutMs: 20 });
      server.on('handlerError', (_, line, error) => console.log(line, error.code));
      server.addHandler('HELD', () => new Promise(() => undefined));
      server.listen((_, { port }) => {
        const client = connect(port, '127.0.0.1');
        client.write('HELD\\nHELD\\n');
        let told = '';
        client.on('data', async (chunk) => {
          told += chunk;
          if (told.split('\\r\\n').length < 3) return;
          client.end();
          await once(client, 'close');
          await server.close();
          console.log('closed');
        });
      });`;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { timeout: 15_000 },
    );
    expect(stdout).toBe('HELD ERR_LINE_TIMEOUT\nHELD ERR_LINE_TIMEOUT\nclosed\n');
  });
});

describe('Where nothing else keeps a process alive', () => {
  it('a limit does, until the client has gone: node --test comes to its end', async () => {
    const transport = new URL('../../dist/line-transport/index.js', import.meta.url);
    const file = join(temporaryFolder(), 'hang.test.mjs');
    writeFileSync(
      file,
      `
      import { strictEqual } from 'node:assert';
      import { test } from 'node:test';
      import { LineServer } from ${JSON.stringify(transport.href)};
      const server = new LineServer({ handlerTimeoutMs: 20 });
      server.on('handlerError', () => undefined);
      server.addHandler('HANG', () => new Promise(() => undefined));
      test('a handler that hangs is given up', async () => {
        strictEqual(await server.inject('HANG'), 'NO ANSWER IN TIME.');
        await server.close();
      });`,
    );
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--test', '--test-reporter=tap', file],
      { timeout: 15_000, env },
    );
    expect(stdout).toMatch(/^# pass 1$/m);
  });
});
