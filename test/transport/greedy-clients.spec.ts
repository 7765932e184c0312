/** What all clients together may cost: the greediest wait, and nobody else notices. */
import { describe, expect, it } from 'vitest';
import { nextEvent, startLineApplication } from '../support/line-application.js';
import { EchoController, Gate } from './controllers.js';

const LIMIT = 400_000;
const CLIENTS = 20;
const LINES = 20_000;

describe('When more is kept for all clients than the server may keep', () => {
  it('the greediest are not read, others are served, and nothing is lost', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      maxBufferedBytes: LIMIT,
    });
    const gate = new Gate();
    server.addHandler('HELD', async () => {
      await gate.pass();
      return 'at last';
    });
    const [strained, relieved] = [true, false].map(
      (which) =>
        new Promise<number>((resolve) => {
          server.on('strained', (isStrained, bytes) => {
            if (isStrained === which) resolve(bytes);
          });
        }),
    );
    const paused = new Set<number>();
    server.on('paused', ({ id }, reason) => {
      if (reason === 'bufferedBytes') paused.add(id);
    });
    const quiet = await connect();
    expect(await quiet.send('PING\n').line()).toBe('PONG');
    const greedy = await Promise.all(Array.from({ length: CLIENTS }, connect));
    for (const client of greedy) client.send(`HELD\n${'PING\n'.repeat(LINES)}QUIT\n`);
    expect(await strained).toBeGreaterThan(LIMIT);
    await expect.poll(() => paused.size).toBeGreaterThan(0);
    for (let ask = 0; ask < 20; ask++) expect(await quiet.send('PING\n').line()).toBe('PONG');
    const [quietConnection] = server.connections;
    expect(paused.has(quietConnection?.id ?? 0)).toBe(false);
    const { bufferedBytes, pauses } = server.stats();
    expect(bufferedBytes).toBeLessThan(LIMIT * 1.5 + CLIENTS * 65_536);
    expect(pauses.bufferedBytes).toBe(paused.size);
    gate.open();
    expect(await relieved).toBeLessThan(LIMIT);
    const expected = `at last\r\n${'PONG\r\n'.repeat(LINES)}`;
    for (const client of greedy) expect((await client.transcript()) === expected).toBe(true);
    expect(await quiet.send('PING\n').line()).toBe('PONG');
    for (const client of greedy) client.end();
    await expect.poll(() => server.stats().bufferedBytes).toBe(0);
  });

  it('half lines are of it, too, and are no reason to stay', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      maxBufferedBytes: 65_536,
      maxLineBytes: 1_048_576,
      lineTimeoutMs: 300,
    });
    const strained = nextEvent(server, 'strained');
    const clients = await Promise.all(Array.from({ length: 4 }, connect));
    for (const client of clients) client.send('x'.repeat(200_000));
    expect(await strained).toEqual([true, expect.any(Number)]);
    for (const client of clients) {
      expect(await client.transcript()).toBe('TIMED OUT.\r\n');
      client.end();
    }
    await expect.poll(() => server.stats().bufferedBytes).toBe(0);
    expect(server.stats().connections.ended.lineTimeout).toBe(4);
  });

  it('a server that closes answers what has arrived of them all the same', async () => {
    const { app, connect, server } = await startLineApplication([EchoController], {
      maxBufferedBytes: 65_536,
      shutdownGraceMs: 10_000,
    });
    const gate = new Gate();
    server.addHandler('HELD', async () => {
      await gate.pass();
      return 'at last';
    });
    const strained = new Promise<void>((resolve) => {
      server.on('strained', () => resolve());
    });
    const clients = await Promise.all(Array.from({ length: 4 }, connect));
    for (const client of clients) client.end(`HELD\n${'PING\n'.repeat(LINES)}`);
    await strained;
    const closed = app.close();
    gate.open();
    const expected = `at last\r\n${'PONG\r\n'.repeat(LINES)}`;
    for (const client of clients) expect((await client.transcript()) === expected).toBe(true);
    await closed;
    expect(server.stats().connections).toMatchObject({ open: 0, ended: { error: 0, reset: 0 } });
  });
});
