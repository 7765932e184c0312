/** One address cannot take all the room there is. */
import { describe, expect, it } from 'vitest';
import { startLineApplication } from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { EchoController } from './controllers.js';

const FULL = 'SERVER FULL. Try again later.\r\n';

function from(localAddress: string, port: number): Promise<TestClient> {
  return TestClient.connect({ host: '127.0.0.1', port, localAddress });
}

async function ping(client: TestClient): Promise<string> {
  return client.send('PING\n').line();
}

describe('A connection beyond what its address may have', () => {
  it('is told so and closed, while other addresses are served', async () => {
    const { port, server } = await startLineApplication([EchoController], {
      maxConnectionsPerAddress: 2,
    });
    const refusals: unknown[] = [];
    server.on('refused', ({ remoteAddress }, reason) => refusals.push([remoteAddress, reason]));
    const within = [await from('127.0.0.2', port), await from('127.0.0.2', port)];
    for (const client of within) expect(await ping(client)).toBe('PONG');
    const beyond = await from('127.0.0.2', port);
    expect(await beyond.transcript()).toBe(FULL);
    beyond.end();
    const other = await from('127.0.0.3', port);
    expect(await ping(other)).toBe('PONG');
    expect(refusals).toEqual([['127.0.0.2', 'maxConnectionsPerAddress']]);
    expect(server.stats().connections).toMatchObject({
      open: 3,
      refused: { maxConnections: 0, maxConnectionsPerAddress: 1 },
    });
  });

  it('is served as soon as another from there has left', async () => {
    const { port, server } = await startLineApplication([EchoController], {
      maxConnectionsPerAddress: 1,
    });
    for (let round = 0; round < 50; round++) {
      const client = await from('127.0.0.2', port);
      expect(await client.end('PING\nQUIT\n').transcript()).toBe('PONG\r\n');
    }
    expect(server.stats().connections.refused.maxConnectionsPerAddress).toBe(0);
  });

  it('is counted exactly after many were refused', async () => {
    const { port, server } = await startLineApplication([EchoController], {
      maxConnectionsPerAddress: 1,
    });
    const first = await from('127.0.0.2', port);
    expect(await ping(first)).toBe('PONG');
    for (let round = 0; round < 20; round++) {
      const refused = await Promise.all(Array.from({ length: 25 }, () => from('127.0.0.2', port)));
      for (const client of refused) {
        expect(await client.transcript()).toBe(FULL);
        client.end();
      }
    }
    expect(server.stats().connections.refused.maxConnectionsPerAddress).toBe(500);
    expect(await first.end('QUIT\n').transcript()).toBe('');
    const next = await from('127.0.0.2', port);
    expect(await ping(next)).toBe('PONG');
  });
});

describe('Clients that are refused', () => {
  it('hold no more than a hundred sockets, whether they leave or not', async () => {
    const { connect, server } = await startLineApplication([EchoController], { maxConnections: 1 });
    const first = await connect();
    expect(await ping(first)).toBe('PONG');
    const refused = await Promise.all(Array.from({ length: 300 }, connect));
    for (const client of refused) client.socket.on('error', () => undefined);
    await expect.poll(() => server.stats().connections.refused.maxConnections).toBe(300);
    const sockets = await new Promise<number>((resolve) => {
      server.unwrap().getConnections((_, count) => resolve(count));
    });
    expect(sockets).toBeLessThanOrEqual(101);
    expect(await ping(first)).toBe('PONG');
    for (const client of refused) client.socket.destroy();
  });
});
