/** Clients that send too slowly, or read too slowly: each limit hits the one who is slow, and no one who is only unhurried. */
import { Controller } from '@nestjs/common';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Command,
  type EndReason,
  type LineReply,
  type LineServer,
  type PauseReason,
} from '../../src/line-transport/index.js';
import { nextEvent, startLineApplication } from '../support/line-application.js';
import type { TestClient } from '../support/line-client.js';
import { EchoController, Gate } from './controllers.js';

const CHUNK = 'x'.repeat(60_000);

@Controller()
class LongController {
  @Command('LONG')
  long(): LineReply {
    return CHUNK;
  }
}

const HUGE = 16_777_216;

@Controller()
class HugeController {
  @Command('HUGE')
  huge(): LineReply {
    return 'x'.repeat(HUGE);
  }
}

/** Sends a byte of a line that never ends, every few milliseconds, until the server ends the conversation. */
async function drip(client: TestClient): Promise<string> {
  const dripping = setInterval(() => client.send('x'), 5);
  const transcript = await client.transcript();
  clearInterval(dripping);
  client.end();
  return transcript;
}

async function endOf(server: LineServer): Promise<EndReason> {
  const [, reason] = await nextEvent(server, 'disconnection');
  return reason as EndReason;
}

describe('A line that takes too long', () => {
  it('ends the conversation with a word, however many bytes keep coming', async () => {
    const { connect, server } = await startLineApplication([EchoController], { lineTimeoutMs: 60 });
    const reason = endOf(server);
    const client = await connect();
    client.send('PING\n');
    expect(await drip(client)).toBe('PONG\r\nTIMED OUT.\r\n');
    expect(await reason).toBe('lineTimeout');
    expect(server.stats().connections.ended.lineTimeout).toBe(1);
  });

  it('ends it also when the line was already refused for its length', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      lineTimeoutMs: 60,
      maxLineBytes: 4,
    });
    const reason = endOf(server);
    const client = await connect();
    expect(await drip(client)).toBe('LINE TOO LONG. At most 4 bytes.\r\nTIMED OUT.\r\n');
    expect(await reason).toBe('lineTimeout');
  });

  it('is not one of several lines that each come in time', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      lineTimeoutMs: 200,
    });
    const client = await connect();
    for (let line = 0; line < 40; line++) {
      client.send('PI');
      await new Promise((resolve) => setTimeout(resolve, 10));
      client.send('NG\n');
      expect(await client.line()).toBe('PONG');
    }
    expect(server.stats().connections.ended.lineTimeout).toBe(0);
  });

  it('is not prolonged by telnet marks in the middle of it, which are answered', async () => {
    const { connect } = await startLineApplication([EchoController], { lineTimeoutMs: 60 });
    const client = await connect();
    client.send('PI');
    const marking = setInterval(() => client.send(Buffer.of(0xff, 0xfd, 0x06)), 10);
    onTestFinished(() => clearInterval(marking));
    expect(await client.transcript()).toContain('TIMED OUT.\r\n');
    clearInterval(marking);
    client.end();
  });

  it('is not one behind which a handler still works', async () => {
    const { connect, server } = await startLineApplication([EchoController], { lineTimeoutMs: 40 });
    const gate = new Gate();
    server.addHandler('HELD', async () => {
      await gate.pass();
      return 'at last';
    });
    const [client, slow] = [await connect(), await connect()];
    client.send('HELD\nPI');
    slow.send('PI');
    expect(await slow.transcript()).toBe('TIMED OUT.\r\n'); // so the limit has passed
    slow.end();
    expect(client.received).toBe('');
    gate.open();
    expect(await client.line()).toBe('at last');
    client.send('NG\n');
    expect(await client.line()).toBe('PONG');
  });

  it('may be as slow as it likes when the limit is 0', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      lineTimeoutMs: 0,
      idleTimeoutMs: 60,
    });
    const reason = endOf(server);
    const client = await connect();
    client.send('PI');
    expect(await client.transcript()).toBe('TIMED OUT.\r\n');
    client.end();
    expect(await reason).toBe('idle');
  });
});

describe('A client that does not read', () => {
  it('is cut when it takes nothing for the write timeout', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      writeTimeoutMs: 100,
    });
    const reason = endOf(server);
    const client = await connect();
    client.socket.pause();
    client.socket.on('error', () => undefined);
    client.send('NOPE\n'.repeat(400_000));
    expect(await reason).toBe('writeTimeout');
    expect(server.stats().connections.ended.writeTimeout).toBe(1);
    client.socket.destroy();
  });

  it('is cut also when it has asked to be let go', async () => {
    const { connect, server } = await startLineApplication([EchoController, LongController], {
      writeTimeoutMs: 100,
      maxUnreadBytes: 1_073_741_824,
    });
    const reason = endOf(server);
    const client = await connect();
    client.socket.pause();
    client.socket.on('error', () => undefined);
    client.send(`${'LONG\n'.repeat(400)}QUIT\n`);
    expect(await reason).toBe('writeTimeout');
    client.socket.destroy();
  });

  it('is not cut while it takes a little now and then, and is told everything', async () => {
    const { connect, server } = await startLineApplication([LongController], {
      writeTimeoutMs: 300,
    });
    const client = await connect();
    client.socket.pause();
    const count = 200;
    client.end('LONG\n'.repeat(count));
    let read = 0;
    client.socket.removeAllListeners('data');
    for await (const chunk of client.socket as AsyncIterable<string>) {
      read += chunk.length;
      await new Promise((resolve) => setTimeout(resolve, 2)); // all of it takes longer than the limit
    }
    expect(read).toBe(count * (CHUNK.length + 2));
    expect(server.stats().connections.ended).toMatchObject({ writeTimeout: 0, client: 1 });
  });

  it.each(['writeTimeoutMs', 'idleTimeoutMs'])(
    'is not cut either while it takes a little of one huge line: %s',
    async (limit) => {
      const { connect, server } = await startLineApplication([HugeController], { [limit]: 300 });
      const client = await connect();
      client.socket.pause();
      client.end('HUGE\n');
      let read = 0;
      client.socket.removeAllListeners('data');
      for await (const chunk of client.socket as AsyncIterable<string>) {
        read += chunk.length;
        await new Promise((resolve) => setTimeout(resolve, 4)); // all of it takes longer than the limit
      }
      expect(read).toBe(HUGE + 2);
      expect(server.stats().connections.ended).toMatchObject({
        writeTimeout: 0,
        idle: 0,
        client: 1,
      });
    },
  );

  it('is answered no more until it has read, and then gets every reply in order', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const paused = new Promise<PauseReason>((resolve) => {
      server.on('paused', (_, reason) => {
        if (reason === 'unreadReplies') resolve(reason);
      });
    });
    const client = await connect();
    client.socket.pause();
    const count = 600_000;
    client.end('NEXT\n'.repeat(count));
    await paused;
    expect(server.stats().lines).toBeLessThan(count);
    expect(server.stats().pauses.unreadReplies).toBeGreaterThan(0);
    client.socket.resume();
    const numbers = (await client.transcript()).trimEnd().split('\r\n');
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => String(index + 1)));
  });

  it('costs no more than it may leave unread', async () => {
    const { connect, server } = await startLineApplication([LongController], {
      maxUnreadBytes: 100_000,
    });
    const client = await connect();
    client.socket.pause();
    const paused = nextEvent(server, 'paused');
    client.send('LONG\n'.repeat(1_000));
    await paused;
    const { bufferedBytes, lines } = server.stats();
    expect(bufferedBytes).toBeLessThan(100_000 + CHUNK.length + 65_536);
    expect(lines).toBeLessThan(1_000);
    client.socket.destroy();
    await nextEvent(server, 'disconnection');
    expect(server.stats().bufferedBytes).toBe(0);
  });
});

describe('A client that sends without waiting', () => {
  it('is read no more while so much of it waits for its answers, and loses nothing', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      maxPendingBytes: 2_000,
    });
    const gate = new Gate();
    server.addHandler('HELD', async () => {
      await gate.pass();
      return 'at last';
    });
    const paused = nextEvent(server, 'paused');
    const client = await connect();
    const count = 200_000;
    client.send(`HELD\n${'NEXT\n'.repeat(count)}QUIT\n`);
    const [connection, reason] = await paused;
    expect(reason).toBe('pendingInput');
    expect(server.connections.has(connection as never)).toBe(true);
    expect(server.stats()).toMatchObject({ pauses: { pendingInput: 1 }, lines: 1 });
    expect(server.stats().bufferedBytes).toBeLessThan(2_000 + 65_536 + 1);
    gate.open();
    const [first, ...numbers] = (await client.transcript()).trimEnd().split('\r\n');
    expect(first).toBe('at last');
    expect(numbers).toEqual(Array.from({ length: count }, (_, index) => String(index + 1)));
    client.end();
    await once(client.socket, 'close');
  });
});

/** As when a machine sleeps, or a handler computes: nothing of this process goes on. */
function standStill(ms: number): void {
  for (const until = performance.now() + ms; performance.now() < until;);
}

/** Lets everybody's limits be looked at; what happens until then is no longer new. */
async function lookedAt(afterMs = 120): Promise<void> {
  standStill(afterMs);
  for (let turn = 0; turn < 10; turn++) await nextTurn();
}

describe('Time in which the process stands still is no client’s', () => {
  it('what has come meanwhile is heard before anybody is called silent', async () => {
    const { connect } = await startLineApplication([EchoController], { idleTimeoutMs: 200 });
    const client = await connect();
    for (let round = 0; round < 3; round++) {
      await lookedAt();
      client.send('PING\n');
      standStill(500);
      expect(await client.line()).toBe('PONG');
    }
  });

  it('what has come meanwhile is heard before a line is called late', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      lineTimeoutMs: 200,
    });
    const client = await connect();
    client.send('PI');
    await expect.poll(() => server.stats().bytes.received).toBe(2);
    await lookedAt();
    client.send('NG\n');
    standStill(500);
    expect(await client.line()).toBe('PONG');
  });

  it('who says something only when it has gone on is answered', async () => {
    const { connect } = await startLineApplication([EchoController], { idleTimeoutMs: 1_800 });
    const client = await connect();
    expect(await client.send('PING\n').line()).toBe('PONG');
    await lookedAt(600);
    await lookedAt(2_000);
    expect(await client.send('PING\n').line()).toBe('PONG');
  });
});
