/** Whatever workers are killed, clients come in, and the service does not give up (docs/RELIABILITY.md). */
import { describe, expect, it, vi } from 'vitest';
import { TestClient } from '../support/line-client.js';
import { isAlive, livingWorkers, startWorkers, untilGone } from '../support/workers.js';

vi.setConfig({ testTimeout: 120_000 });

const KILLS = 40;
const EVERY_MS = 100;
const CLIENTS = 50;

/** Connects and asks, until it is to stop; whose connection is cut comes again. @returns how long each connection took */
async function comeAndGo(port: number, isOver: () => boolean): Promise<number[]> {
  const waits: number[] = [];
  while (!isOver()) {
    const begun = performance.now();
    const client = await TestClient.connect(port);
    waits.push(performance.now() - begun);
    client.send('TIME\r\n');
    try {
      expect(await client.line()).toMatch(/^JAM /);
      client.end();
      await client.ended();
    } catch {
      client.reset(); // it was with the worker that was killed
    }
  }
  return waits;
}

describe('While a worker is killed every 100 ms', () => {
  it('every client connects within a second, and afterwards all are answered', async () => {
    const service = await startWorkers(4, { LOG_REQUESTS: 'false' });
    const port = await service.port();
    let killed = 0;
    const clients = Array.from({ length: CLIENTS }, () => comeAndGo(port, () => killed === KILLS));
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const living = livingWorkers(service).filter(isAlive);
        const victim = living[Math.floor(Math.random() * living.length)];
        if (victim !== undefined) process.kill(victim, 'SIGKILL');
        if (++killed < KILLS) return;
        clearInterval(timer);
        resolve();
      }, EVERY_MS);
    });
    const waits = (await Promise.all(clients)).flat();
    expect(Math.max(...waits)).toBeLessThan(1_000);
    const client = await TestClient.connect(port);
    client.send('TIME\r\n');
    expect(await client.line()).toMatch(/^JAM /);
    expect(service.process.exitCode).toBeNull();
    const workers = livingWorkers(service);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    await untilGone(workers);
  });
});
