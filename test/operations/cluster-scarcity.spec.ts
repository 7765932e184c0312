/** Where the system has nothing for another process, the primary waits until it has; it never runs out itself. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { TestClient } from '../support/line-client.js';
import { MAIN, startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { freeze, livingWorkers, readyWorkers, untilLogged } from '../support/workers.js';

vi.setConfig({ testTimeout: 90_000 });

const JAM = /^JAM \d\d:\d\d:\d\d$/;

/** Has `fork` throw, as for want of memory, from the third to the fifth time. */
const NO_MEMORY = `
import cluster from 'node:cluster';
const { fork } = cluster;
let forks = 0;
cluster.fork = function (...args) {
  forks++;
  if (forks > 2 && forks < 6) throw Object.assign(new Error('spawn ENOMEM'), { code: 'ENOMEM' });
  return fork.apply(this, args);
};
`;

describe('Without memory for another process', () => {
  it('the service goes on with the workers it has, and has all of them when there is some again', async () => {
    const preload = join(temporaryFolder(), 'no-memory.mjs');
    writeFileSync(preload, NO_MEMORY);
    const service = startService({ WORKERS: '2', NODE_OPTIONS: `--import=${preload}` });
    await readyWorkers(service, 2);
    service.process.kill('SIGHUP');
    await service.logs(/tanpa diminta \(spawn ENOMEM\)[^]*Pekerja yang lama tetap melayani/);
    process.kill(livingWorkers(service)[0] ?? 0, 'SIGKILL');
    await untilLogged(service, 'spawn ENOMEM', 3);
    const client = await service.connect();
    expect(await client.send('TIME\r\n').line()).toMatch(JAM);
    await readyWorkers(service, 3);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('With few descriptors', () => {
  it('the primary holds only so many clients that it can still start workers', async () => {
    const limited = `ulimit -n 128; exec "${process.execPath}" "${MAIN}"`;
    const service = startService({ WORKERS: '2' }, ['sh', '-c', limited]);
    await readyWorkers(service, 2);
    const port = await service.port();
    const workers = livingWorkers(service);
    for (const pid of workers) freeze(pid);
    const clients = await Promise.all(Array.from({ length: 200 }, () => TestClient.connect(port)));
    for (const pid of workers) process.kill(pid, 'SIGKILL');
    await readyWorkers(service, 4);
    for (const client of clients) client.reset();
    const client = await TestClient.connect(port);
    expect(await client.send('TIME\r\n').line()).toMatch(JAM);
    expect(service.stdout).not.toMatch(/EMFILE|ENFILE/);
    client.end();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});
