/** A client that lost its connection makes it again, with patience. */
import { firstValueFrom, filter } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LineClient } from '../../src/line-transport/index.js';
import type { TestClient } from '../support/line-client.js';
import { converse, nextOf, RawServer } from '../support/raw-server.js';

const DELAYS = { reconnectInitialDelayMs: 100, reconnectMaxDelayMs: 1_000 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  vi.spyOn(Math, 'random').mockReturnValue(0);
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function statuses(client: LineClient): string[] {
  const seen: string[] = [];
  client.status.subscribe((status) => seen.push(status));
  return seen;
}

/** Resolves when the client has seen its server go. */
async function lose(client: LineClient, peer: TestClient): Promise<void> {
  const over = nextOf(client, 'disconnection');
  peer.end();
  await over;
  await peer.ended();
}

async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('After a loss', () => {
  it('a client connects again by itself, after the initial delay and not before', async () => {
    const { client, peer, server } = await converse(DELAYS);
    const seen = statuses(client);
    await lose(client, peer);
    vi.advanceTimersByTime(99);
    await turns();
    expect(server.connections).toBe(1);
    const again = nextOf(client, 'connection');
    vi.advanceTimersByTime(1);
    await server.accept();
    await again;
    expect(seen).toEqual(['connected', 'reconnecting', 'connected']);
  });

  it('each attempt that fails waits twice as long for the next, up to the longest delay', async () => {
    const { client, peer, server } = await converse(DELAYS);
    const seen = statuses(client);
    const { port } = server;
    const failures: unknown[] = [];
    let failed = (): void => undefined;
    client.on('reconnectFailed', ({ code }, delayMs) => {
      failures.push([code, delayMs]);
      failed();
    });
    await lose(client, peer);
    await server.stop();
    for (const delayMs of [100, 200, 400, 800, 1_000, 1_000]) {
      const failure = new Promise<void>((resolve) => {
        failed = resolve;
      });
      vi.advanceTimersByTime(delayMs - 1);
      await turns();
      const before = failures.length;
      vi.advanceTimersByTime(1);
      await failure;
      expect(failures).toHaveLength(before + 1);
    }
    expect(failures).toEqual(
      [200, 400, 800, 1_000, 1_000, 1_000].map((delayMs) => ['ERR_LINE_CONNECT', delayMs]),
    );
    expect(seen).toEqual(['connected', 'reconnecting']);
    const server2 = await RawServer.listen({ port });
    const again = nextOf(client, 'connection');
    vi.advanceTimersByTime(1_000);
    await Promise.all([server2.accept(), again]);
    expect(seen).toEqual(['connected', 'reconnecting', 'connected']);
  });

  it('a random part of the delay, up to a half, is taken off', async () => {
    vi.mocked(Math.random).mockReturnValue(0.999_999);
    const { client, peer, server } = await converse(DELAYS);
    await lose(client, peer);
    vi.advanceTimersByTime(49);
    await turns();
    expect(server.connections).toBe(1);
    vi.advanceTimersByTime(1);
    await server.accept();
  });

  it('a server that closes at once is not hurried: the delays go on growing', async () => {
    const { client, peer, server } = await converse(DELAYS);
    await lose(client, peer);
    const connected = nextOf(client, 'connection');
    vi.advanceTimersByTime(100);
    const second = await server.accept();
    await connected;
    await lose(client, second);
    vi.advanceTimersByTime(199);
    await turns();
    expect(server.connections).toBe(2);
    vi.advanceTimersByTime(1);
    await server.accept();
  });

  it('of a connection that lasted, the delays begin anew', async () => {
    const { client, peer, server } = await converse(DELAYS);
    await lose(client, peer);
    const connected = nextOf(client, 'connection');
    vi.advanceTimersByTime(100);
    const second = await server.accept();
    await connected;
    vi.advanceTimersByTime(1_000);
    await lose(client, second);
    vi.advanceTimersByTime(100);
    await server.accept();
  });

  it('a request connects without waiting for the delay, and once', async () => {
    const { client, peer, server } = await converse(DELAYS);
    await lose(client, peer);
    const reply = firstValueFrom(client.send<string>('PING', ''));
    const again = await server.accept();
    expect(await again.line()).toBe('PING');
    again.send('PONG\n');
    expect(await reply).toBe('PONG');
    vi.advanceTimersByTime(10_000);
    await turns();
    expect(server.connections).toBe(2);
  });

  it('a request that fails to connect does not end the attempts', async () => {
    const { client, peer, server } = await converse(DELAYS);
    const { port } = server;
    await lose(client, peer);
    await server.stop();
    await expect(firstValueFrom(client.send('PING', ''))).rejects.toMatchObject({
      code: 'ERR_LINE_CONNECT',
    });
    const server2 = await RawServer.listen({ port });
    vi.advanceTimersByTime(200);
    await server2.accept();
    await firstValueFrom(client.status.pipe(filter((status) => status === 'connected')));
  });

  it('what failed for the loss can be asked again at once', async () => {
    const { client, peer, server } = await converse(DELAYS);
    const reply = new Promise((resolve) => {
      client.send('A', '').subscribe({
        error: () => {
          client.send('B', '').subscribe(resolve);
        },
      });
    });
    await peer.line();
    peer.end();
    const again = await server.accept();
    expect(await again.line()).toBe('B');
    again.send('2\n');
    expect(await reply).toBe('2');
  });
});

describe('After a close', () => {
  it('a client connects no more by itself, also if it was about to', async () => {
    const { client, peer, server } = await converse(DELAYS);
    const seen = statuses(client);
    await lose(client, peer);
    await client.close();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(10_000);
    await turns();
    expect(server.connections).toBe(1);
    expect(seen).toEqual(['connected', 'reconnecting', 'disconnected']);
  });

  it('from within the listener that hears of the loss, too', async () => {
    const { client, peer } = await converse(DELAYS);
    const closed = new Promise((resolve) => {
      client.on('disconnection', () => resolve(client.close()));
    });
    peer.end();
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('from within the listener that hears of the connection, nothing is left either', async () => {
    const { client } = await converse(DELAYS);
    await client.close();
    client.on('connection', () => void client.close());
    await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_LINE_CLOSED' });
    await client.close();
    expect(vi.getTimerCount()).toBe(0);
  });
});
