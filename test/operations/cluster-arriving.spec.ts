/** Clients on their way count for their worker, and those that never are served do not. */
import { describe, expect, it, vi } from 'vitest';
import { TestClient } from '../support/line-client.js';
import { textHeader } from '../support/proxy-header.js';
import { startWorkers, untilLogged } from '../support/workers.js';

vi.setConfig({ testTimeout: 90_000 });

const JAM = /^JAM \d\d:\d\d:\d\d$/;

/** Brings the header of a proxy, asks, and quits. */
async function converse(client: TestClient): Promise<void> {
  client.send(`${textHeader()}TIME\r\nQUIT\r\n`);
  expect(await client.line()).toMatch(JAM);
  client.end();
}

describe('A worker that is replaced', () => {
  it('waits for those whose PROXY header has not come yet', async () => {
    const service = await startWorkers(2, { PROXY_PROTOCOL_TRUST: '127.0.0.1' });
    const port = await service.port();
    let isReady = false;
    const ready = untilLogged(service, 'siap melayani', 3).then(() => (isReady = true));
    service.process.kill('SIGHUP');
    const clients: TestClient[] = [];
    while (!isReady) {
      clients.push(await TestClient.connect(port)); // the last of them have come to all workers
      await converse(await TestClient.connect(port));
    }
    await ready;
    for (let count = 0; count < 100; count++) await converse(await TestClient.connect(port));
    for (const client of clients.slice(-6)) await converse(client);
    for (const client of clients) client.end();
    await untilLogged(service, 'telah diganti', 1);
  });

  it('does not wait for those who were refused', async () => {
    const service = await startWorkers(2, {
      DENY_ADDRESSES: '127.0.0.1',
      SHUTDOWN_GRACE_MS: '600000',
    });
    const clients = await Promise.all([service.connect(), service.connect()]);
    await Promise.all(clients.map((client) => client.ended()));
    service.process.kill('SIGHUP');
    await untilLogged(service, 'telah diganti', 1);
  });
});

describe('The limit of an address', () => {
  it('is not shared out: nobody is refused below it, whichever worker has its clients', async () => {
    const service = await startWorkers(2, { MAX_CONNECTIONS_PER_ADDRESS: '2' });
    const asked = async (): Promise<TestClient> => {
      const client = await service.connect();
      expect(await client.send('TIME\r\n').line()).toMatch(JAM);
      return client;
    };
    await asked(); // the first worker's
    const other = await asked();
    other.end();
    await other.ended();
    await asked(); // the first worker's again
    expect(service.stdout).not.toMatch(/ditolak/);
  });
});
