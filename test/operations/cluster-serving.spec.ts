/** A service of several workers serves as one of a single process does. */
import { describe, expect, it } from 'vitest';
import { TestClient } from '../support/line-client.js';
import { loadedBy } from '../support/loaded.js';
import { series, startManaged } from '../support/management.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { livingWorkers, readyWorkers, startWorkers, untilLogged } from '../support/workers.js';

/** A line of a log in JSON. */
type Entry = Record<string, unknown>;

function entriesOf(log: string): Entry[] {
  return log
    .trimEnd()
    .split('\n')
    .map((line): Entry => JSON.parse(line));
}

describe('A service with WORKERS=2', () => {
  it('is a primary and two workers, and gives each of them its part of the clients', async () => {
    const service = await startWorkers(2, { LOG_FORMAT: 'json' });
    expect(livingWorkers(service)).toHaveLength(2);
    const [, port] = await service.logs(/"event":"listening".*"port":(\d+)/);
    for (let count = 0; count < 10; count++) {
      const client = await TestClient.connect(Number(port));
      client.send('TIME\r\n');
      expect(await client.line()).toMatch(/^JAM \d\d:\d\d:\d\d$/);
      client.send('QUIT\r\n');
      expect(await client.transcript()).toBe('');
      client.end();
    }
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    const accepted = entriesOf(service.stdout).filter(
      ({ event }) => event === 'connectionAccepted',
    );
    const ofFirst = accepted.filter(({ worker }) => worker === 1);
    const ofSecond = accepted.filter(({ worker }) => worker === 2);
    expect([ofFirst.length, ofSecond.length]).toEqual([5, 5]);
  });

  it('says once that it listens, and where, and once each line of how it was started and ends', async () => {
    const service = await startWorkers(2, { IDLE_TIMEOUT: '5' });
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.stderr).toBe('');
    const messages = service.stdout.replaceAll(/^.{23} - \[SERVER\] - /gm, '').trimEnd();
    const own = messages.split('\n').filter((line) => !/^\[\w+\] |sebagai root/.test(line));
    expect(own).toEqual([
      'Variabel IDLE_TIMEOUT tidak dikenal. Maksudnya IDLE_TIMEOUT_MS?',
      expect.stringMatching(/^Pekerja 1 \(pid \d+\) siap melayani\.$/),
      expect.stringMatching(/^Server aktif dan mendengarkan di port \d+\.\.\.$/),
      expect.stringMatching(/^Pekerja 2 \(pid \d+\) siap melayani\.$/),
      'Server berhenti menerima koneksi. 0 sesi diselesaikan...',
      'Server berhenti.',
    ]);
    expect(messages.match(/Starting Nest application/g)).toHaveLength(1);
  });

  it('answers one pipelining client in order, and half-closed ones to the end', async () => {
    const service = await startWorkers(2, { LOG_REQUESTS: 'false' });
    const clients = await Promise.all([service.connect(), service.connect()]);
    for (const client of clients) client.end('TIME\r\n'.repeat(20_000));
    for (const client of clients) {
      expect(await client.transcript()).toMatch(/^(JAM \d\d:\d\d:\d\d\r\n){20000}$/);
    }
  });

  it('has its limit of connections as a whole: nobody is refused while any worker has room', async () => {
    const service = await startWorkers(2, {
      MAX_CONNECTIONS: '4',
      MAX_CONNECTIONS_PER_ADDRESS: '4',
    });
    const held: TestClient[] = [];
    const hold = async (): Promise<TestClient> => {
      const client = await service.connect();
      client.send('TIME\r\n');
      expect(await client.line()).toMatch(/^JAM /);
      held.push(client);
      return client;
    };
    const [first, , third] = [await hold(), await hold(), await hold(), await hold()];
    const refused = await service.connect();
    expect(await refused.transcript()).toBe('SERVER PENUH. Coba lagi nanti.\r\n');
    // Both have the same worker: it has room for two, and the other one for none.
    for (const client of [first, third]) {
      client.end();
      await client.transcript();
    }
    await untilLogged(service, 'telah berhenti', 2);
    await hold();
    await hold();
    expect(service.stdout.match(/ditolak/g)).toHaveLength(1);
  });

  it('tells each of a crowd beyond that limit that it is full, and counts them', async () => {
    const { service, url } = await startManaged({
      WORKERS: '2',
      LOCALE: 'id',
      MAX_CONNECTIONS: '20',
      MAX_CONNECTIONS_PER_ADDRESS: '20',
    });
    await readyWorkers(service, 2);
    const port = await service.port();
    const clients = await Promise.all(Array.from({ length: 100 }, () => TestClient.connect(port)));
    const told = await Promise.all(clients.map((client) => client.send('TIME\r\n').line()));
    const full = told.filter((line) => line.startsWith('SERVER PENUH'));
    expect(full).toHaveLength(80);
    const counted = await series(url);
    expect(counted.get('line_connections_refused_total{reason="maxConnections"}')).toBe(80);
  });
});

describe('A service with WORKERS unset', () => {
  it('is one process, which loads nothing of what supervises', async () => {
    const folder = temporaryFolder();
    const service = startService({ NODE_V8_COVERAGE: folder });
    await service.port();
    expect(livingWorkers(service)).toEqual([]);
    await service.stop();
    const loaded = await loadedBy(service, folder);
    const names = loaded.map((url) => url.slice(url.indexOf('/dist/')));
    expect(names).toContain('/dist/bootstrap.js');
    const ofWorkers = names.filter((name) => /cluster|workers/.test(name));
    expect(ofWorkers).toEqual(['/dist/operations/cluster/acceptor.js']); // a token
  });
});
