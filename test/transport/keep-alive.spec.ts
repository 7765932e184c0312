/** Whoever vanishes without a word, its cable cut, is found out by the system: it asks who has been silent for long. */
import { existsSync, readFileSync } from 'node:fs';
import { Controller } from '@nestjs/common';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  Command,
  LineClient,
  type LineReply,
  type LineServerOptions,
} from '../../src/line-transport/index.js';
import { startLineApplication } from '../support/line-application.js';
import type { TestClient } from '../support/line-client.js';

const SOCKETS = '/proc/net/tcp';
/** The timers of a socket that waits to ask, and of one that waits for nothing (proc_net_tcp in the kernel's documentation). */
const KEEP_ALIVE = '02';
const NONE = '00';
/** In what the table counts time. */
const TICKS_PER_SECOND = 100;

@Controller()
class PingController {
  @Command('PING')
  ping(): LineReply {
    return 'PONG';
  }
}

const hex = (port: number | undefined): string =>
  (port ?? 0).toString(16).toUpperCase().padStart(4, '0');

/** Which timer runs for the server's end of a connection, and for how many seconds yet. */
function timerOf(port: number, { socket }: TestClient): { kind: string; seconds: number } {
  return timerBetween(port, socket.localPort);
}

/** The same for the end of a connection that has this port, the other end having that. */
function timerBetween(
  port: number | undefined,
  other: number | undefined,
): { kind: string; seconds: number } {
  for (const row of readFileSync(SOCKETS, 'utf8').split('\n')) {
    const [, local, remote, , , timer = ''] = row.trim().split(/\s+/);
    const isIt = local?.endsWith(`:${hex(port)}`) && remote?.endsWith(`:${hex(other)}`);
    const [kind = '', ticks = ''] = timer.split(':');
    if (isIt) return { kind, seconds: Number.parseInt(ticks, 16) / TICKS_PER_SECOND };
  }
  throw new Error('the table does not have the connection');
}

/** A client that has been answered. */
async function greet(
  options: LineServerOptions,
): Promise<{ port: number; client: TestClient; connect: () => Promise<TestClient> }> {
  const { connect, port } = await startLineApplication([PingController], options);
  const client = await connect();
  expect(await client.send('PING\n').line()).toBe('PONG');
  return { port, client, connect };
}

describe.skipIf(!existsSync(SOCKETS))(
  'A client that stays is asked whether it is still there',
  () => {
    it.each([
      ['a minute', {}, 60],
      ['keepAliveMs', { keepAliveMs: 5_000 }, 5],
      ['keepAliveMs in whole seconds', { keepAliveMs: 6_001 }, 7],
      ['the longest keepAliveMs', { keepAliveMs: 32_767_000 }, 32_767],
    ])('after %s of silence', async (_, options, seconds) => {
      const { port, client } = await greet(options);
      const isToBeAsked = (): boolean => timerOf(port, client).kind === KEEP_ALIVE;
      await vi.waitUntil(isToBeAsked, { timeout: 5_000, interval: 20 });
      const left = timerOf(port, client).seconds;
      expect(left).toBeLessThanOrEqual(seconds);
      expect(left).toBeGreaterThan(seconds - 4); // it has been silent for a moment
    });

    it('but never with a keepAliveMs of 0', async () => {
      const { port, client, connect } = await greet({ keepAliveMs: 0, lineTimeoutMs: 50 });
      const late = await connect();
      expect(await late.send('PI').transcript()).toContain('TIMED OUT'); // so all have been looked at
      expect(timerOf(port, client).kind).toBe(NONE);
    });
  },
);

describe.skipIf(!existsSync(SOCKETS))('A server that is silent is asked by its client', () => {
  it.each([
    ['after a minute', {}, KEEP_ALIVE, 60],
    ['after keepAliveMs in whole seconds', { keepAliveMs: 4_001 }, KEEP_ALIVE, 5],
    ['never with a keepAliveMs of 0', { keepAliveMs: 0 }, NONE, 0],
  ])('%s', async (_, options, kind, seconds) => {
    const { port } = await startLineApplication([PingController]);
    const client = new LineClient({ host: '127.0.0.1', port, ...options });
    await client.connect();
    expect(await firstValueFrom(client.send('PING', ''))).toBe('PONG');
    const { localPort } = client.unwrap();
    await vi.waitUntil(() => timerBetween(localPort, port).kind === kind, { timeout: 5_000 });
    expect(timerBetween(localPort, port).seconds).toBeLessThanOrEqual(seconds);
    await client.close();
  });
});
