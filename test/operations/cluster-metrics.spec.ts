/** What several workers count is told as one service's, over the primary's management port. */
import { describe, expect, it, vi } from 'vitest';
import { TestClient } from '../support/line-client.js';
import type { Service } from '../support/service.js';
import { freeze, livingWorkers, readyWorkers, startWorkers } from '../support/workers.js';

vi.setConfig({ testTimeout: 90_000 });

const MANAGED = { MANAGEMENT_PORT: '0', LOG_FORMAT: 'text', LOCALE: 'id' };

interface Managed {
  readonly service: Service;
  readonly port: number;
  /** What a path of the management port answers. */
  readonly get: (path: string) => Promise<Response>;
  /** The value of each metric, by its name and labels. */
  readonly metrics: () => Promise<Map<string, number>>;
}

async function startManaged(env: Record<string, string> = {}): Promise<Managed> {
  const service = await startWorkers(2, { ...MANAGED, ...env });
  const port = await service.port();
  const [, management] = await service.logs(/Port manajemen (\d+) aktif/);
  const get = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${management}${path}`);
  const metrics = async (): Promise<Map<string, number>> => {
    const text = await (await get('/metrics')).text();
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.replace(/ \S+$/, ''), Number(/\S+$/.exec(line)?.[0])]),
    );
  };
  return { service, port, get, metrics };
}

/** Short conversations, of which each worker has its part. */
async function converse(port: number, count: number): Promise<void> {
  for (let done = 0; done < count; done++) {
    const client = await TestClient.connect(port);
    client.send('TIME\r\nQUIT\r\n');
    await client.transcript();
    client.end();
  }
}

describe('The metrics of several workers', () => {
  it('are the sums of what each has counted', async () => {
    const { port, metrics } = await startManaged();
    await converse(port, 10);
    const held = await TestClient.connect(port);
    held.send('TIME\r\n');
    await held.line();
    const told = await metrics();
    expect(told.get('line_connections_accepted_total')).toBe(11);
    expect(told.get('line_connections_open')).toBe(1);
    expect(told.get('line_lines_total')).toBe(21);
    expect(told.get('time_service_workers')).toBe(2);
    expect(
      [...told.keys()].filter((name) => name.startsWith('time_service_build_info')),
    ).toHaveLength(1);
    expect(told.get('nodejs_eventloop_lag_p99_seconds')).toBeLessThan(60);
  });

  it('never fall: what a worker counted stays when it is replaced, or killed', async () => {
    const { service, port, metrics } = await startManaged();
    await converse(port, 10);
    service.process.kill('SIGHUP');
    await service.logs(/Semua pekerja telah diganti/);
    const replaced = await metrics();
    expect(replaced.get('line_connections_accepted_total')).toBe(10);
    expect(replaced.get('time_service_worker_restarts_total{reason="reload"}')).toBe(2);
    await converse(port, 4);
    await metrics(); // the last time that the one to be killed is asked
    process.kill(livingWorkers(service)[0] ?? 0, 'SIGKILL');
    await readyWorkers(service, 5);
    const told = await metrics();
    expect(told.get('line_connections_accepted_total')).toBe(14);
    expect(told.get('line_lines_total')).toBe(28);
    expect(told.get('time_service_worker_restarts_total{reason="ended"}')).toBe(1);
    expect(told.get('time_service_workers')).toBe(2);
  });

  it('have the number of workers that serve, which is no greater while they are replaced', async () => {
    const { service, port, metrics } = await startManaged({ SHUTDOWN_GRACE_MS: '600000' });
    const clients = [await TestClient.connect(port), await TestClient.connect(port)];
    for (const client of clients) await client.send('TIME\r\n').line();
    service.process.kill('SIGHUP');
    await readyWorkers(service, 3); // the old one waits for its client
    expect(livingWorkers(service)).toHaveLength(3);
    expect((await metrics()).get('time_service_workers')).toBe(2);
    for (const client of clients) client.end();
    await service.logs(/Semua pekerja telah diganti/);
    expect((await metrics()).get('time_service_workers')).toBe(2);
  });

  it('are told without a worker that hangs: what it said last is still counted', async () => {
    const { service, port, metrics } = await startManaged();
    await converse(port, 10);
    await metrics();
    freeze(livingWorkers(service)[0] ?? 0);
    expect((await metrics()).get('line_connections_accepted_total')).toBe(10);
  });
});

describe('/readyz of several workers', () => {
  it('says yes while one serves, and no from the signal on until the last has ended', async () => {
    const { service, port, get } = await startManaged({ SHUTDOWN_GRACE_MS: '600000' });
    expect((await get('/readyz')).status).toBe(200);
    const client = await TestClient.connect(port);
    client.send('TIME\n');
    await client.line();
    client.socket.pause();
    client.send('TIME\n'.repeat(2_000_000)); // never lets its worker finish
    await service.logs(/Menerima pesan/);
    service.process.kill('SIGTERM');
    await service.logs(/berhenti menerima koneksi/);
    expect((await get('/readyz')).status).toBe(503);
    expect((await get('/livez')).status).toBe(200);
    client.reset();
    expect(await service.exit).toEqual({ code: 0, signal: null });
  });

  it('says no above 90 % of the connections of all workers', async () => {
    const { port, get } = await startManaged({
      MAX_CONNECTIONS: '10',
      MAX_CONNECTIONS_PER_ADDRESS: '10',
    });
    const clients: TestClient[] = [];
    while (clients.length < 9) {
      const client = await TestClient.connect(port);
      client.send('TIME\r\n');
      await client.line();
      clients.push(client);
    }
    expect((await get('/readyz')).status).toBe(503);
  });
});
