/** Whoever vanishes without a word, its cable cut, is found out by the system: it asks who has been silent for long. */
import { existsSync, readFileSync } from 'node:fs';
import { Controller } from '@nestjs/common';
import { expect, it, vi } from 'vitest';
import { Command, type LineReply } from '../../src/line-transport/index.js';
import { startLineApplication } from '../support/line-application.js';

const SOCKETS = '/proc/net/tcp';
/** The timer of a socket that waits to ask, in the table of the Linux kernel (proc_net_tcp in its documentation). */
const KEEP_ALIVE = '02';

@Controller()
class PingController {
  @Command('PING')
  ping(): LineReply {
    return 'PONG';
  }
}

const hex = (port: number | undefined): string =>
  (port ?? 0).toString(16).toUpperCase().padStart(4, '0');

/** Which timer runs for the server's end of a connection. */
function timerOf(port: number, clientPort: number | undefined): string | undefined {
  for (const row of readFileSync(SOCKETS, 'utf8').split('\n')) {
    const [, local, remote, , , timer] = row.trim().split(/\s+/);
    const isIt = local?.endsWith(`:${hex(port)}`) && remote?.endsWith(`:${hex(clientPort)}`);
    if (isIt) return timer?.split(':')[0];
  }
  return undefined;
}

it.skipIf(!existsSync(SOCKETS))(
  'A client that stays is asked whether it is still there',
  async () => {
    const { connect, port } = await startLineApplication([PingController]);
    const client = await connect();
    client.send('PING\n');
    expect(await client.line()).toBe('PONG');
    const isAsked = (): boolean => timerOf(port, client.socket.localPort) === KEEP_ALIVE;
    await vi.waitUntil(isAsked, { timeout: 5_000, interval: 20 });
  },
);
