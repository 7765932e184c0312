/** SIGHUP replaces every worker in turn, and no client loses a line by it. */
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { TestClient } from '../support/line-client.js';
import { COVERAGE, MAIN, Service, startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import {
  isAlive,
  livingWorkers,
  newWorker,
  readyWorkers,
  startWorkers,
  untilLogged,
} from '../support/workers.js';

vi.setConfig({ testTimeout: 300_000 });

const RESTARTS = 10;
const CLIENTS = 200;

/** One short conversation after the other, until it is to stop. @returns how many lines were sent, each of which was answered once */
async function talk(port: number, isOver: () => boolean): Promise<number> {
  let sent = 0;
  while (!isOver()) {
    const client = await TestClient.connect(port);
    for (let count = 0; count < 3; count++) {
      client.send('TIME\r\n');
      sent++;
      expect(await client.line()).toMatch(/^JAM \d\d:\d\d:\d\d$/);
    }
    client.send('QUIT\r\n');
    expect(await client.transcript()).toBe('');
    client.end();
  }
  return sent;
}

/** Starts two workers in a folder whose .env file says this. */
async function startWithEnvFile(text: string): Promise<{ service: Service; file: string }> {
  const cwd = temporaryFolder();
  const file = join(cwd, '.env');
  writeFileSync(file, text);
  const child = spawn(process.execPath, [MAIN], {
    cwd,
    env: { HOST: '127.0.0.1', PORT: '0', WORKERS: '2', SHUTDOWN_GRACE_MS: '300', ...COVERAGE },
  });
  const service = new Service(child);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await readyWorkers(service, 2);
  return { service, file };
}

describe('SIGHUP to the primary', () => {
  it('loses no line of hundreds of short conversations, ten times in a row', async () => {
    const service = await startWorkers(2, { LOG_REQUESTS: 'false', LOG_LEVEL: 'info' });
    const port = await service.port();
    let done = 0;
    const clients = Array.from({ length: CLIENTS }, () => talk(port, () => done === RESTARTS));
    while (done < RESTARTS) {
      service.process.kill('SIGHUP');
      await untilLogged(service, 'Semua pekerja telah diganti', done + 1);
      done++;
    }
    const sent = await Promise.all(clients);
    expect(Math.min(...sent)).toBeGreaterThan(0);
    const pids = await readyWorkers(service, 2 + 2 * RESTARTS);
    expect(new Set(livingWorkers(service).filter(isAlive))).toEqual(new Set(pids.slice(-2)));
    expect(service.stdout).not.toMatch(/terputus|diputus|berhenti tanpa diminta/);
  });

  it('has a new worker ready before it ends an old one, one after the other', async () => {
    const service = await startWorkers(2);
    const old = livingWorkers(service);
    service.process.kill('SIGHUP');
    await readyWorkers(service, 3);
    expect(livingWorkers(service).filter(isAlive).length).toBeGreaterThanOrEqual(2);
    await service.logs(/Semua pekerja telah diganti/);
    const story = service.stdout.match(/(diganti satu per satu|siap melayani|telah diganti)/g);
    expect(story).toEqual([
      'siap melayani',
      'siap melayani',
      'diganti satu per satu',
      'siap melayani',
      'siap melayani',
      'telah diganti',
    ]);
    expect(old.filter(isAlive)).toEqual([]);
  });

  it('closes the connections of those who stay after SHUTDOWN_GRACE_MS, in order: they read an end', async () => {
    const service = await startWorkers(2, { SHUTDOWN_GRACE_MS: '300' });
    const clients = await Promise.all([service.connect(), service.connect()]);
    service.process.kill('SIGHUP');
    for (const client of clients) {
      expect(await client.transcript()).toBe('');
      client.end();
    }
    await service.logs(/Semua pekerja telah diganti/);
  });

  it('leaves no place empty when a new worker dies while the old one still serves', async () => {
    const service = await startWorkers(2, { SHUTDOWN_GRACE_MS: '600000' });
    const clients = await Promise.all([service.connect(), service.connect()]);
    service.process.kill('SIGHUP');
    const [, , young] = await readyWorkers(service, 3);
    process.kill(young ?? 0, 'SIGKILL');
    await readyWorkers(service, 4);
    expect(service.stdout).toMatch(/Pekerja 3 berhenti tanpa diminta \(SIGKILL\)/);
    for (const client of clients) {
      expect(await client.send('TIME\r\n').line()).toMatch(/^JAM /);
      client.end();
    }
  });

  it('goes on when an old worker dies that still serves, and says so', async () => {
    const service = await startWorkers(2, { SHUTDOWN_GRACE_MS: '600000' });
    const clients = await Promise.all([service.connect(), service.connect()]);
    for (const client of clients) client.socket.on('error', () => undefined);
    const [old] = await readyWorkers(service, 2);
    service.process.kill('SIGHUP');
    await readyWorkers(service, 3);
    process.kill(old ?? 0, 'SIGKILL');
    await readyWorkers(service, 4);
    expect(service.stdout).toMatch(/Pekerja 1 berhenti tanpa diminta \(SIGKILL\)/);
  });

  it('is remembered once while it is being obeyed', async () => {
    const service = await startWorkers(2);
    service.process.kill('SIGHUP');
    await service.logs(/diganti satu per satu/);
    for (let count = 0; count < 3; count++) {
      service.process.kill('SIGHUP');
      await (await service.connect()).send('QUIT\r\n').ended(); // the primary has had its turn: signals that wait are one
    }
    await untilLogged(service, 'telah diganti', 2);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.stdout.match(/telah diganti/g)).toHaveLength(2);
  });

  it('has the new workers read the .env file as it is then', async () => {
    const { service, file } = await startWithEnvFile('LOCALE=id\nIDLE_TIMEOUT_MS=60000\n');
    const before = await service.connect();
    before.send('time\n');
    expect(await before.line()).toMatch(/^PERINTAH TIDAK DIKENALI/);
    writeFileSync(file, 'LOCALE=en\n');
    service.process.kill('SIGHUP');
    await service.logs(/Semua pekerja telah diganti/);
    const after = await service.connect();
    after.send('time\n');
    expect(await after.line()).toMatch(/^UNKNOWN COMMAND/);
    rmSync(file);
    service.process.kill('SIGHUP');
    await untilLogged(service, 'telah diganti', 2);
    const last = await service.connect();
    last.send('time\n');
    expect(await last.line()).toMatch(/^PERINTAH TIDAK DIKENALI/);
  });

  it('stops at the first new worker that cannot serve: the old ones stay', async () => {
    const { service, file } = await startWithEnvFile('LOCALE=id\n');
    const old = livingWorkers(service);
    writeFileSync(file, 'LOCALE=fr\n');
    service.process.kill('SIGHUP');
    await service.logs(/Pekerja baru 3 tidak siap melayani\. Pekerja yang lama tetap melayani\./);
    expect(service.stderr).toBe('The settings are wrong:\n  LOCALE must be id or en, not "fr"\n');
    const client = await service.connect();
    client.send('TIME\n');
    expect(await client.line()).toMatch(/^JAM /);
    expect(livingWorkers(service).filter(isAlive)).toEqual(old);
    writeFileSync(file, 'LOCALE=en\n');
    service.process.kill('SIGHUP');
    await service.logs(/Semua pekerja telah diganti/);
  }, 25_000); // the new worker ends by itself: it is not waited for half a minute
});

describe('SIGHUP while the service starts', () => {
  it('is obeyed when it has started', async () => {
    const service = startService({ WORKERS: '2' });
    await service.logs(/Starting Nest application/);
    service.process.kill('SIGHUP');
    await service.logs(/telah diganti/);
    expect(service.stdout).toMatch(
      /mendengarkan di port[^]*diganti satu per satu[^]*telah diganti/,
    );
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.stdout.match(/telah diganti/g)).toHaveLength(1);
  });
});

describe('SIGTERM while workers are being replaced', () => {
  it('ends all of them, the new ones too', async () => {
    const service = await startWorkers(2);
    const old = livingWorkers(service);
    service.process.kill('SIGHUP');
    const workers = [...old, await newWorker(service, old)];
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(workers.filter(isAlive)).toEqual([]);
    expect(service.stdout).toMatch(/ - Server berhenti\.\n$/);
    expect(service.stderr).toBe('');
  });
});
