/** A worker that is killed costs its own connections, and nothing else. */
import { describe, expect, it, vi } from 'vitest';
import { TestClient } from '../support/line-client.js';
import type { Service } from '../support/service.js';
import {
  freeze,
  isAlive,
  livingWorkers,
  readyWorkers,
  startWorkers,
  untilLogged,
} from '../support/workers.js';

vi.setConfig({ testTimeout: 90_000 });

const JAM = /^JAM \d\d:\d\d:\d\d$/;

/** Connects, asks, and stays. */
async function ask(port: number): Promise<TestClient> {
  const client = await TestClient.connect(port);
  client.send('TIME\r\n');
  expect(await client.line()).toMatch(JAM);
  return client;
}

/** Connects clients that stay, and says which worker has which, by its pid. */
async function connectToEach(
  service: Service,
  count: number,
): Promise<{ port: number; pids: number[]; clients: TestClient[][] }> {
  const pids = await readyWorkers(service, 2);
  const port = await service.port();
  const clients: TestClient[][] = [[], []];
  for (let at = 0; at < count; at++) clients[at % 2]?.push(await ask(port));
  return { port, pids, clients };
}

describe('A worker that is killed while it serves', () => {
  it('takes its own connections with it, and none of others', async () => {
    const service = await startWorkers(2, { LOG_REQUESTS: 'false' });
    const { pids, clients } = await connectToEach(service, 20);
    process.kill(pids[0] ?? 0, 'SIGKILL');
    for (const client of clients[0] ?? []) await client.ended();
    for (const client of clients[1] ?? []) client.send('TIME\r\n'.repeat(1_000));
    for (const client of clients[1] ?? []) {
      for (const reply of await client.lines(1_000)) expect(reply).toMatch(JAM);
    }
  });

  it('is replaced, and told of in the log; new clients are served meanwhile', async () => {
    const service = await startWorkers(2);
    const { port, pids } = await connectToEach(service, 2);
    process.kill(pids[0] ?? 0, 'SIGKILL');
    let served = 0;
    let isReplaced = false;
    const replaced = readyWorkers(service, 3).then(() => (isReplaced = true));
    while (!isReplaced) {
      const client = await ask(port);
      client.end();
      served++;
    }
    await replaced;
    expect(served).toBeGreaterThan(2);
    expect(service.stdout).toContain('Pekerja 1 berhenti tanpa diminta (SIGKILL).');
    expect(livingWorkers(service).filter(isAlive)).toHaveLength(2);
  });

  it('gives back whom it was being given: the client is served by another one', async () => {
    const service = await startWorkers(2);
    const [doomed = 0] = await readyWorkers(service, 2);
    const port = await service.port();
    freeze(doomed); // takes nobody any more
    const clients = [await TestClient.connect(port), await TestClient.connect(port)];
    for (const client of clients) client.send('TIME\r\n');
    await service.logs(/Menerima pesan/); // one of them is the other worker's
    process.kill(doomed, 'SIGKILL');
    for (const client of clients) expect(await client.line()).toMatch(JAM);
  });
});

describe('A worker that hangs', () => {
  it('keeps one client waiting at the most; all others are served', async () => {
    const service = await startWorkers(2);
    const [hung = 0] = await readyWorkers(service, 2);
    const port = await service.port();
    freeze(hung);
    const clients = await Promise.all(Array.from({ length: 20 }, () => TestClient.connect(port)));
    for (const client of clients) client.send('TIME\r\nQUIT\r\n');
    await untilLogged(service, 'meminta keluar', 19);
    process.kill(hung, 'SIGCONT');
    for (const client of clients) expect(await client.transcript()).toMatch(/^JAM .{8}\r\n$/);
  });
});

describe('While no worker is there at all', () => {
  it('clients can connect, wait, and are served by the next one', async () => {
    const service = await startWorkers(2);
    const port = await service.port();
    for (const pid of livingWorkers(service)) process.kill(pid, 'SIGKILL');
    const client = await TestClient.connect(port);
    client.send('TIME\r\n');
    expect(await client.line()).toMatch(JAM);
  });
});
