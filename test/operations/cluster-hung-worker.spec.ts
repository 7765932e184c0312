/** A worker whose event loop stands still is found out, killed and replaced; who came to it is served by another one. */
import { describe, expect, it, vi } from 'vitest';
import { TestClient } from '../support/line-client.js';
import {
  freeze,
  isAlive,
  livingWorkers,
  newWorker,
  readyWorkers,
  startWorkers,
  untilGone,
  untilLogged,
} from '../support/workers.js';

vi.setConfig({ testTimeout: 90_000 });

const JAM = /^JAM \d\d:\d\d:\d\d$/;

describe('A worker that does not take a client within 10 s', () => {
  it('is killed and replaced; the client is served, and a restart that waits for it ends', async () => {
    const service = await startWorkers(2);
    const [hung = 0] = await readyWorkers(service, 2);
    const port = await service.port();
    freeze(hung);
    const clients = [await TestClient.connect(port), await TestClient.connect(port)];
    for (const client of clients) client.send('TIME\r\nQUIT\r\n');
    service.process.kill('SIGHUP');
    for (const client of clients) expect(await client.line()).toMatch(JAM);
    for (const client of clients) client.end();
    expect(service.stdout).toContain('Pekerja 1 tidak menanggapi pada waktunya');
    expect(isAlive(hung)).toBe(false);
    await untilLogged(service, 'telah diganti', 1);
    expect(livingWorkers(service).filter(isAlive)).toHaveLength(2);
    service.process.kill('SIGHUP'); // is obeyed again
    await untilLogged(service, 'telah diganti', 2);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('A worker that hangs while nobody comes', () => {
  it('is found out by its silence, killed and replaced; the others are left alone', async () => {
    const service = await startWorkers(2);
    const [hung = 0, well] = await readyWorkers(service, 2);
    freeze(hung);
    await readyWorkers(service, 3);
    expect(service.stdout.match(/tidak menanggapi pada waktunya/g)).toHaveLength(1);
    expect(service.stdout).toContain('Pekerja 1 tidak menanggapi pada waktunya');
    expect(isAlive(hung)).toBe(false);
    expect(livingWorkers(service).filter(isAlive)).toContain(well);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('A worker that is not ready within half a minute', () => {
  it('is killed, which the log says; the old ones stay', async () => {
    const service = await startWorkers(2);
    const old = livingWorkers(service);
    service.process.kill('SIGHUP');
    const hung = await newWorker(service, old);
    freeze(hung);
    await untilLogged(service, 'Pekerja yang lama tetap melayani', 1);
    expect(service.stdout).toContain('Pekerja 3 tidak menanggapi pada waktunya');
    expect(service.stdout).not.toContain('tanpa diminta');
    expect(isAlive(hung)).toBe(false);
    expect(livingWorkers(service).filter(isAlive)).toEqual(old);
  });
});

describe('A worker that hangs while the service ends', () => {
  it('takes no more of its time than the others: the service ends within its grace and 5 s', async () => {
    const service = await startWorkers(2, { SHUTDOWN_GRACE_MS: '4000' });
    const [hung = 0] = await readyWorkers(service, 2);
    const port = await service.port();
    freeze(hung);
    const clients = [await TestClient.connect(port), await TestClient.connect(port)];
    for (const client of clients) client.send('TIME\r\n');
    await service.logs(/Menerima pesan/); // one of them is the other worker's
    const begun = performance.now();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - begun).toBeLessThan(4_000 + 5_000 + 1_500);
    await untilGone([hung]);
  });
});
