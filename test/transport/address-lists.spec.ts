/** Who may come, and who may not. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LineServerOptions, Peer } from '../../src/line-transport/index.js';
import { sendAndCut } from '../support/cut-client.js';
import {
  createLineApplication,
  type LineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { missing } from '../support/programs.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { EchoController } from './controllers.js';

function start(options: LineServerOptions): Promise<LineApplication> {
  return startLineApplication([EchoController], options);
}

function from(localAddress: string, port: number): Promise<TestClient> {
  return TestClient.connect({ host: '127.0.0.1', port, localAddress });
}

async function expectServed(client: TestClient): Promise<void> {
  expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
}

/** It is closed, and told nothing. */
async function expectDenied(client: TestClient): Promise<void> {
  client.socket.on('error', () => undefined);
  await client.send('PING\n').ended();
  expect(client.received).toBe('');
}

describe('A client whose address', () => {
  it('is not among those that may come is closed and told nothing, and counted', async () => {
    const { port, server } = await start({ allowAddresses: ['127.0.0.2', '127.0.1.0/24'] });
    const refusals: unknown[] = [];
    server.on('refused', ({ remoteAddress }, reason) => refusals.push([remoteAddress, reason]));
    await expectServed(await from('127.0.0.2', port));
    await expectServed(await from('127.0.1.77', port));
    await expectDenied(await from('127.0.0.3', port));
    await expectDenied(await from('127.0.2.77', port));
    expect(refusals).toEqual([
      ['127.0.0.3', 'addressDenied'],
      ['127.0.2.77', 'addressDenied'],
    ]);
    expect(server.stats().connections).toMatchObject({
      accepted: 2,
      refused: { addressDenied: 2 },
    });
  });

  it('is among those that may not come is closed, and others are served', async () => {
    const { port } = await start({ denyAddresses: ['127.0.0.2'] });
    await expectDenied(await from('127.0.0.2', port));
    await expectServed(await from('127.0.0.3', port));
  });

  it('is among both is closed', async () => {
    const { port } = await start({
      allowAddresses: ['127.0.0.0/24'],
      denyAddresses: ['127.0.0.2'],
    });
    await expectDenied(await from('127.0.0.2', port));
    await expectServed(await from('127.0.0.3', port));
  });

  it('is one of IPv4 is judged as one also by a server that listens on IPv6', async () => {
    const { app } = await createLineApplication([EchoController], {
      host: '::',
      allowAddresses: ['127.0.0.0/8', '::1'],
      denyAddresses: ['127.0.0.2'],
    });
    const { port } = (await app.listen()) as { port: number };
    await expectServed(await from('127.0.0.3', port));
    await expectDenied(await from('127.0.0.2', port));
    await expectServed(await TestClient.connect({ host: '::1', port }));
  });

  it('may not come is closed also where the server is full, and takes no place', async () => {
    const { port, server } = await start({ maxConnections: 1, denyAddresses: ['127.0.0.2'] });
    const first = await from('127.0.0.3', port);
    first.send('PING\n');
    expect(await first.line()).toBe('PONG');
    for (let round = 0; round < 20; round++) await expectDenied(await from('127.0.0.2', port));
    expect(server.stats().connections).toMatchObject({
      open: 1,
      refused: { addressDenied: 20, maxConnections: 0 },
    });
  });

  it.skipIf(missing('python3'))(
    'nobody can ask for any more, since it has cut its connection, is closed: nothing it sent is served',
    async () => {
      const { port, server } = await start({ denyAddresses: ['127.0.0.1'] });
      const refused = nextEvent(server, 'refused');
      sendAndCut(port, 'PING\n');
      const [peer, reason] = (await refused) as [Peer, string];
      expect([peer.remoteAddress, reason]).toEqual([undefined, 'addressDenied']);
      expect(server.stats().lines).toBe(0);
    },
  );

  it('does not exist, as on a Unix domain socket, is served: the rights of its file say who may come', async () => {
    const path = join(temporaryFolder(), 'socket');
    const { app } = await createLineApplication([EchoController], {
      path,
      allowAddresses: ['192.0.2.7'],
      denyAddresses: ['0.0.0.0/0', '::/0'],
    });
    await app.listen();
    await expectServed(await TestClient.connect({ path }));
  });
});
