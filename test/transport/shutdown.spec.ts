/** Closing a server: nothing that was asked goes unanswered, and it ends within the grace. */
import { connect as connectSocket } from 'node:net';
import { once } from 'node:events';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { firstValueFrom, interval } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { nextEvent, startLineApplication } from '../support/line-application.js';
import type { TestClient } from '../support/line-client.js';
import { EchoController, Gate } from './controllers.js';

const PATIENT = { shutdownGraceMs: 10_000 };

describe('Closing', () => {
  it('refuses new connections and ends idle ones with a FIN', async () => {
    const { connect, server, port } = await startLineApplication([EchoController], PATIENT);
    const client = await connect();
    client.send('PING\n');
    await client.line();
    const closed = server.close();
    expect(await client.transcript()).toBe('');
    client.end();
    await closed;
    const [error] = await once(connectSocket(port, '127.0.0.1'), 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('lets a running answer finish and be delivered', async () => {
    const { connect, server } = await startLineApplication([EchoController], PATIENT);
    const gate = new Gate();
    server.addHandler('HELD', () => gate.pass().then(() => 'at last'));
    const client = await connect();
    const asked = nextEvent(server, 'request');
    client.send('HELD\nPING\n');
    await asked;
    const closed = server.close();
    gate.open();
    expect(await client.transcript()).toBe('at last\r\nPONG\r\n');
    client.end();
    await closed;
  });

  it('answers what was sent before, also what the kernel still holds', async () => {
    const { connect, server } = await startLineApplication([EchoController], PATIENT);
    const clients = await Promise.all(Array.from({ length: 20 }, connect));
    const count = 5_000;
    await Promise.all(
      clients.map(
        (client) => new Promise((resolve) => client.socket.write('PING\n'.repeat(count), resolve)),
      ),
    );
    const closed = server.close();
    for (const client of clients) {
      expect(await client.transcript()).toBe('PONG\r\n'.repeat(count));
      client.end();
    }
    await closed;
  });

  it('of a crowd answers who asks while others are being told of the end', async () => {
    const { connect, server } = await startLineApplication([EchoController], PATIENT);
    const clients: TestClient[] = [];
    while (clients.length < 300) clients.push(await connect());
    await expect.poll(() => server.stats().connections.open).toBe(clients.length);
    const ends = clients.map((client) => client.ended());
    const closed = server.close();
    await Promise.race(ends);
    for (const client of clients) if (!client.socket.readableEnded) client.send('PING\n');
    await Promise.all(ends);
    const answered = clients.filter(({ received }) => received === 'PONG\r\n');
    expect(answered.length).toBeGreaterThan(200);
    for (const client of clients) client.end();
    await closed;
  });

  it('of a crowd ends within the grace also where a few keep the server busy', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      shutdownGraceMs: 3_000,
    });
    server.addHandler('BURN', () => {
      for (const until = performance.now() + 10; performance.now() < until;);
      return Promise.resolve('burnt');
    });
    const busy = [await connect(), await connect()];
    for (const client of busy) {
      client.send('BURN\n');
      client.socket.on('data', () => client.socket.writable && client.send('BURN\n'));
    }
    const clients: TestClient[] = [];
    while (clients.length < 1_500) clients.push(await connect());
    for (const client of clients) void client.ended().then(() => client.end());
    await expect.poll(() => server.stats().connections.open).toBe(clients.length + busy.length);
    const closed = nextEvent(server, 'closed');
    void server.close();
    const [cut] = await closed;
    expect(cut).toBeLessThanOrEqual(busy.length);
    for (const client of busy) client.socket.destroy();
  });

  it('may be asked for again by whoever is told of it', async () => {
    const { connect, server } = await startLineApplication([EchoController], PATIENT);
    const client = await connect();
    client.send('PING\n');
    expect(await client.line()).toBe('PONG');
    const told: unknown[] = [];
    server.on('draining', (open) => {
      told.push(open);
      void server.close();
    });
    client.end();
    await server.close();
    expect(told).toEqual([1]);
  });

  it('tells those whom a full server has no room for, also while it closes', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      ...PATIENT,
      maxConnections: 1,
    });
    const clients = await Promise.all(Array.from({ length: 20 }, connect));
    for (const client of clients) client.send('PING\n');
    const closed = server.close();
    for (const client of clients) {
      expect(await client.transcript()).toMatch(/^(PONG|SERVER FULL\. Try again later\.)\r\n$/);
      client.end();
    }
    await closed;
  });

  it('cuts also those who are accepted when the grace is over already', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      shutdownGraceMs: 0,
    });
    server.addHandler('HELD', () => new Promise(() => undefined));
    const clients = await Promise.all(Array.from({ length: 5 }, connect));
    for (const client of clients) client.send('HELD\n');
    await server.close();
    expect(server.stats().connections.open).toBe(0);
    for (const client of clients) await client.ended();
  });

  it('answers a command that still waited for its line end, if the grace allows such', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      ...PATIENT,
      lineGraceMs: 60_000,
    });
    const client = await connect();
    client.send('NEXT\nNEXT');
    await client.line();
    const closed = server.close();
    expect(await client.transcript()).toBe('2\r\n');
    client.end();
    await closed;
  });

  it('cuts conversations that are not over after the grace, and says how many', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      shutdownGraceMs: 50,
    });
    server.addHandler('HELD', () => new Promise(() => undefined));
    const cut = nextEvent(server, 'closed');
    const client = await connect();
    const asked = nextEvent(server, 'request');
    client.send('HELD\n');
    await asked;
    const over = nextEvent(server, 'disconnection');
    await server.close();
    expect(await cut).toEqual([1]);
    expect((await over)[1]).toBe('shutdown');
    await client.ended();
  });

  it('cuts a stream without end after the grace', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      shutdownGraceMs: 50,
    });
    server.addHandler('TICK', () => Promise.resolve(interval(1)));
    const cut = nextEvent(server, 'closed');
    const client = await connect();
    client.send('TICK\n');
    expect(await client.line()).toBe('0');
    await server.close();
    expect(await cut).toEqual([1]);
    await client.ended();
  });

  it('is not held up by a client that keeps its own side open', async () => {
    const { connect, server } = await startLineApplication([EchoController], PATIENT);
    const client = await connect();
    client.send('PING\n');
    await client.line();
    const started = performance.now();
    await server.close();
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it('may be asked for twice', async () => {
    const { app, server } = await startLineApplication([EchoController]);
    const closings: number[] = [];
    server.on('closed', (cut) => closings.push(cut));
    await Promise.all([server.close(), server.close()]);
    await app.close();
    expect(closings).toEqual([0]);
  });

  it('is nothing before listening', async () => {
    const { server } = await startLineApplication([EchoController]);
    await server.close();
    await expect(server.close()).resolves.toBeUndefined();
  });

  it('comes before the services are destroyed', async () => {
    const story: string[] = [];

    @Injectable()
    class Database implements OnModuleDestroy {
      onModuleDestroy(): void {
        story.push('destroyed');
      }
    }

    const { app, connect, server } = await startLineApplication([EchoController], PATIENT, [
      Database,
    ]);
    const gate = new Gate();
    server.addHandler('HELD', () =>
      gate.pass().then(() => {
        story.push('answered');
        return 'held';
      }),
    );
    const client = await connect();
    const asked = nextEvent(server, 'request');
    client.send('HELD\n');
    await asked;
    const closed = app.close();
    gate.open();
    expect(await client.transcript()).toBe('held\r\n');
    client.end();
    await closed;
    expect(story).toEqual(['answered', 'destroyed']);
  });
});

describe('The status of a server', () => {
  it('goes from listening over draining to closed', async () => {
    const { server } = await startLineApplication([EchoController]);
    const seen: string[] = [];
    server.status.subscribe((status) => seen.push(status));
    await server.close();
    expect(seen).toEqual(['listening', 'draining', 'closed']);
    expect(await firstValueFrom(server.status)).toBe('closed');
  });
});
