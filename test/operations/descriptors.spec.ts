/** The service with few file descriptors: it keeps serving those who are there, and recovers by itself. */
import { describe, expect, it } from 'vitest';
import { TestClient } from '../support/line-client.js';
import { missing } from '../support/programs.js';
import { MAIN, type Service, startService } from '../support/service.js';

const LIMIT = 128;
const CLIENTS = 310;
const FULL = 'SERVER FULL. Try again later.';

function startWithin(env: Record<string, string> = {}): Service {
  const limit = `--nofile=${LIMIT}:${LIMIT}`;
  return startService({ LOCALE: 'en', ...env }, ['prlimit', limit, process.execPath, MAIN]);
}

/** What became of one who connected and asked. */
async function ask(client: TestClient): Promise<string> {
  client.send('TIME\n');
  try {
    return await client.line();
  } catch {
    return 'closed';
  }
}

describe.skipIf(missing('prlimit'))('A service with few file descriptors', () => {
  it('says at its start how many clients it has room for', async () => {
    const service = startWithin();
    await service.port();
    const [, room] = await service.logs(/maxConnections is (\d+), not 10000: .* 128 files/);
    expect(Number(room)).toBeGreaterThan(40);
    expect(Number(room)).toBeLessThan(LIMIT - 32);
    await service.stop();
  });

  it('leaves room for others of what it has, too, when one address comes for all of it', async () => {
    const service = startWithin();
    const port = await service.port();
    const [, room] = await service.logs(/maxConnections is (\d+),/);
    const clients = await Promise.all(
      Array.from({ length: Number(room) }, () => TestClient.connect(port)),
    );
    for (const client of clients) client.socket.on('error', () => undefined);
    expect(await Promise.all(clients.map(ask))).toContain(FULL);
    const other = await TestClient.connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' });
    expect(await ask(other)).toMatch(/^JAM /);
    await service.stop();
  });

  it('says nothing where that is enough', async () => {
    const service = startWithin({ MAX_CONNECTIONS: '10' });
    await service.port();
    await service.stop();
    expect(service.stdout).not.toContain('maxConnections');
  });

  it('serves those it has room for while more come than it has descriptors, and others as soon as they have gone', async () => {
    const service = startWithin();
    const port = await service.port();
    const clients = await Promise.all(
      Array.from({ length: CLIENTS }, () => TestClient.connect(port)),
    );
    for (const client of clients) client.socket.on('error', () => undefined);
    const answers = await Promise.all(clients.map(ask));
    const served = clients.filter((_, index) => answers[index]?.startsWith('JAM '));
    expect(served.length).toBeGreaterThan(40);
    const others = answers.filter((answer) => !answer.startsWith('JAM '));
    expect(others).toContain(FULL);
    expect(others.filter((answer) => answer !== FULL && answer !== 'closed')).toEqual([]);
    for (const client of served) expect(await ask(client)).toMatch(/^JAM /);
    for (const client of clients) client.socket.destroy();
    await expect
      .poll(async () => {
        const client = await TestClient.connect(port);
        const answer = await ask(client);
        client.socket.destroy();
        return answer;
      })
      .toMatch(/^JAM /);
    expect((await service.stop()).code).toBe(0);
  });
});
