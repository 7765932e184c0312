/** However a service of several workers ends: nothing that was asked before is lost, and no process is left. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TestClient } from '../support/line-client.js';
import { managementOf, readyz } from '../support/management.js';
import { COVERAGE, MAIN, Service } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import {
  freeze,
  isAlive,
  livingWorkers,
  readyWorkers,
  startWorkers,
  untilGone,
} from '../support/workers.js';

vi.setConfig({ testTimeout: 90_000 });

/** Asks for more than the kernel can hold, never reads, and so never lets its worker finish. */
async function connectDeaf(service: Service): Promise<void> {
  const socket = connect({ port: await service.port(), host: '127.0.0.1' });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  const told = service.stdout.length;
  socket.write(`first\n${'TIME\n'.repeat(4_000_000)}`);
  while (!service.stdout.slice(told).includes('Perintah tidak valid')) {
    await once(service.process.stdout, 'data');
  }
}

/** Clients that have been answered once, of both workers. */
async function connectServed(service: Service, count: number): Promise<TestClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => service.connect()));
  for (const client of clients) {
    client.send('TIME\n');
    await client.line();
  }
  return clients;
}

describe.each(['SIGTERM', 'SIGINT'] as const)('On %s to the primary', (signal) => {
  it('every request that was sent before is answered, by all workers, and all end in order', async () => {
    const service = await startWorkers(2, { LOG_REQUESTS: 'false' });
    const workers = livingWorkers(service);
    const clients = await connectServed(service, 6);
    await Promise.all(
      clients.map(
        (client) =>
          new Promise((resolve) => {
            client.socket.write('TIME\n'.repeat(2_000), resolve);
          }),
      ),
    );
    service.process.kill(signal);
    for (const client of clients) {
      expect(await client.transcript()).toMatch(/^(JAM \d\d:\d\d:\d\d\r\n){2000}$/);
      client.end();
    }
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(service.stdout).toMatch(
      /menerima koneksi\. 6 sesi diselesaikan[^]* - Server berhenti\.\n$/,
    );
    expect(service.stderr).toBe('');
    expect(workers.filter(isAlive)).toEqual([]);
  });

  it('those who do not finish are cut after SHUTDOWN_GRACE_MS, and counted together', async () => {
    const service = await startWorkers(2, { SHUTDOWN_GRACE_MS: '300', LOG_REQUESTS: 'false' });
    await connectDeaf(service);
    await connectDeaf(service);
    expect(await service.stop(signal)).toEqual({ code: 0, signal: null });
    expect(service.stdout).toMatch(/ - Server berhenti\. 2 sesi diputus\.\n$/);
  });

  it('clients that have only just connected are answered, too', async () => {
    const service = await startWorkers(2, { LOG_REQUESTS: 'false' });
    const port = await service.port();
    const clients = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const client = await TestClient.connect(port);
        await new Promise((resolve) => {
          client.socket.write('TIME\n', resolve);
        });
        return client;
      }),
    );
    service.process.kill(signal);
    for (const client of clients) expect(await client.transcript()).toMatch(/^JAM .{8}\r\n$/);
    for (const client of clients) client.end();
    expect(await service.exit).toEqual({ code: 0, signal: null });
  });
});

describe('A second signal', () => {
  it.each([
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGINT', 130],
  ] as const)(
    '(%s, %s) ends the primary at once with %i, and the workers with it',
    async (first, second, code) => {
      const service = await startWorkers(2, { SHUTDOWN_GRACE_MS: '600000', LOG_REQUESTS: 'false' });
      const workers = livingWorkers(service);
      await connectDeaf(service);
      service.process.kill(first);
      await service.logs(/Server berhenti menerima koneksi/);
      expect(await service.stop(second)).toEqual({ code, signal: null });
      await untilGone(workers);
    },
  );
});

describe('SHUTDOWN_DELAY_MS', () => {
  it('lets all serve on for a time after the signal', async () => {
    const service = await startWorkers(2, { SHUTDOWN_DELAY_MS: '2500', MANAGEMENT_PORT: '0' });
    const [port, url] = [await service.port(), await managementOf(service)];
    service.process.kill('SIGTERM');
    await expect.poll(() => readyz(url)).toMatchObject({ code: 503 });
    for (let count = 0; count < 4; count++) {
      const client = await TestClient.connect(port);
      client.send('TIME\r\nQUIT\r\n');
      expect(await client.transcript()).toMatch(/^JAM .{8}\r\n$/);
      client.end();
    }
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(service.stdout).toMatch(/meminta keluar[^]*berhenti menerima koneksi/);
  });

  it('is no reason to do without a worker that dies meanwhile', async () => {
    const service = await startWorkers(2, { SHUTDOWN_DELAY_MS: '600000' });
    service.process.kill('SIGTERM');
    for (const pid of livingWorkers(service)) process.kill(pid, 'SIGKILL');
    await readyWorkers(service, 4);
    expect(service.stdout.match(/tanpa diminta \(SIGKILL\)/g)).toHaveLength(2);
    const client = await service.connect();
    expect(await client.send('TIME\r\n').line()).toMatch(/^JAM /);
  });
});

describe('Ctrl-C in a terminal, which signals all processes at once,', () => {
  it('ends the service as a signal to the primary alone does', async () => {
    const child = spawn(process.execPath, [MAIN], {
      cwd: temporaryFolder(),
      env: { HOST: '127.0.0.1', PORT: '0', WORKERS: '2', LOG_REQUESTS: 'false', ...COVERAGE },
      detached: true, // a group of its own
    });
    const service = new Service(child);
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await readyWorkers(service, 2);
    const workers = livingWorkers(service);
    const [client] = await connectServed(service, 1);
    await new Promise((resolve) => client?.socket.write('TIME\n'.repeat(2_000), resolve));
    process.kill(-(child.pid ?? 0), 'SIGINT');
    expect(await client?.transcript()).toMatch(/^(JAM \d\d:\d\d:\d\d\r\n){2000}$/);
    client?.end();
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(workers.filter(isAlive)).toEqual([]);
  });
});

describe('A worker that gets a signal by itself', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('(%s) goes on serving', async (signal) => {
    const service = await startWorkers(2);
    const workers = livingWorkers(service);
    for (const pid of workers) process.kill(pid, signal);
    for (const client of await connectServed(service, 4)) client.end();
    expect(livingWorkers(service)).toEqual(workers);
  });
});

describe('When the primary is killed', () => {
  it('the workers answer what has arrived, close, and end', async () => {
    const service = await startWorkers(2, { LOG_REQUESTS: 'false' });
    const workers = livingWorkers(service);
    const clients = await connectServed(service, 4);
    await Promise.all(
      clients.map((client) => new Promise((resolve) => client.socket.write('TIME\n', resolve))),
    );
    service.process.kill('SIGKILL');
    for (const client of clients) {
      expect(await client.transcript()).toMatch(/^JAM .{8}\r\n$/);
      client.end();
    }
    await untilGone(workers);
  });

  it('they end within their grace also when a client never lets them finish', async () => {
    const service = await startWorkers(2, { SHUTDOWN_GRACE_MS: '300', LOG_REQUESTS: 'false' });
    const workers = livingWorkers(service);
    await connectDeaf(service);
    service.process.kill('SIGKILL');
    await untilGone(workers);
  });
});

describe('A worker that hangs at the end', () => {
  it('is killed by the primary some seconds after its grace', async () => {
    const service = await startWorkers(2, { SHUTDOWN_GRACE_MS: '100' });
    const [hung = 0] = livingWorkers(service);
    freeze(hung);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.stdout).toContain('tidak menanggapi pada waktunya');
    await untilGone([hung]);
  });
});
