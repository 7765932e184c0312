/** Several workers write into one log, and each line of it is whole. */
import { describe, expect, it, vi } from 'vitest';
import type { TestClient } from '../support/line-client.js';
import { livingWorkers, startWorkers, untilGone, untilLogged } from '../support/workers.js';

vi.setConfig({ testTimeout: 90_000 });

const CLIENTS = 4;
const LINES = 5_000;

/** Asks in lines that are long in the log. */
function flood(client: TestClient): void {
  client.send(`${'x'.repeat(900)}\r\n`.repeat(LINES));
}

describe('The log of several workers', () => {
  it('has every line whole, and each tells its worker, also when its reader is slow', async () => {
    const service = await startWorkers(2, { LOG_FORMAT: 'json', LOG_CLIENT_RATE: '0' });
    await service.logs(/"event":"listening".*"port":(\d+)/);
    const clients = await Promise.all(Array.from({ length: CLIENTS }, () => service.connect()));
    service.process.stdout.pause();
    for (const client of clients) flood(client);
    await Promise.all(clients.map((client) => client.lines(LINES)));
    service.process.stdout.resume();
    for (const client of clients) client.end('QUIT\r\n');
    for (const client of clients) await client.transcript();
    await service.stop();
    const lines = service.stdout.trimEnd().split('\n');
    const entries = lines.map((line): Record<string, unknown> => JSON.parse(line));
    const received = entries.filter(({ event }) => event === 'lineReceived');
    expect(new Set(received.map(({ worker }) => worker))).toEqual(new Set([1, 2]));
    const dropped = entries
      .filter(({ event }) => event === 'linesDropped')
      .reduce((sum, { count }) => sum + Number(count), 0);
    const told = entries.filter(
      ({ event }) => event === 'lineReceived' || event === 'unknownCommand' || event === 'quit',
    );
    expect(told.length + dropped).toBeGreaterThanOrEqual(CLIENTS * 2 * LINES);
    expect(entries.at(-1)).toMatchObject({ event: 'shutdownFinished' });
  });

  it('has no half line of a worker that was killed', async () => {
    const service = await startWorkers(2, { LOG_FORMAT: 'json', LOG_CLIENT_RATE: '0' });
    const client = await service.connect();
    flood(client);
    await client.lines(500);
    for (const pid of livingWorkers(service)) process.kill(pid, 'SIGKILL');
    await client.ended();
    await untilLogged(service, 'workerReady', 4);
    await service.stop();
    for (const line of service.stdout.trimEnd().split('\n'))
      expect(() => JSON.parse(line)).not.toThrow();
  });

  it('holds up neither replies nor the end of the service when nobody reads it', async () => {
    const service = await startWorkers(2, { LOG_CLIENT_RATE: '0' });
    const clients = await Promise.all([service.connect(), service.connect()]);
    const workers = livingWorkers(service);
    service.process.stdout.pause();
    for (const client of clients) {
      client.send('TIME\r\n'.repeat(50_000));
      await client.lines(50_000);
      client.end();
      await client.transcript();
    }
    const exit = new Promise((resolve) => service.process.once('exit', resolve));
    service.process.kill();
    expect(await exit).toBe(0);
    await untilGone(workers);
  });
});
