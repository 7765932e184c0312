/** The management port answers when the service is short of something: that is when it is asked. */
import { existsSync, openSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectAtLast, freePort } from '../support/free-port.js';
import { TestClient } from '../support/line-client.js';
import { readyz, series, startManaged } from '../support/management.js';
import { allowFiles } from '../support/open-files.js';
import { missing } from '../support/programs.js';
import { MAIN } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const LIMIT = 128;

async function connectMany(port: number, count: number): Promise<TestClient[]> {
  const clients = await Promise.all(Array.from({ length: count }, () => TestClient.connect(port)));
  for (const client of clients) client.socket.on('error', () => undefined);
  return clients;
}

/** Asks over a connection that stays: none is left for a new one. */
async function statusOf(url: string, agent: Agent): Promise<number | undefined> {
  const request = get(url, { agent });
  const [response] = (await once(request, 'response')) as [import('node:http').IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

describe.skipIf(missing('prlimit'))('with few file descriptors', () => {
  const within = ['prlimit', `--nofile=${LIMIT}:${LIMIT}`, process.execPath, MAIN] as const;

  it('there is room for who asks, however many clients there are, and the service is not ready', async () => {
    const { service, url } = await startManaged({ MAX_CONNECTIONS_PER_ADDRESS: '1000' }, [
      ...within,
    ]);
    const port = await service.port();
    const { max = 0 } = (await readyz(url)).details['connections'] as { max?: number };
    expect(max).toBeLessThan(LIMIT);
    const clients = await connectMany(port, max);
    for (const client of clients) expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
    const ready = await readyz(url);
    expect(ready.code).toBe(503);
    expect(ready.details['connections']).toEqual({ status: 'down', open: max, max });
    const told = await series(url);
    expect(told.get('line_connections_open')).toBe(max);
    expect(told.get('process_max_fds')).toBe(LIMIT);
    for (const client of clients) client.socket.destroy();
    await expect.poll(async () => (await readyz(url)).code).toBe(200);
  });

  it('and none left, who is connected is answered; others, when there are some again', async () => {
    const { service, url } = await startManaged({ LOCALE: 'id' }, [...within]);
    const [port, pid] = [await service.port(), service.process.pid ?? 0];
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    expect(await statusOf(`${url}/livez`, agent)).toBe(200);
    const [client] = await connectMany(port, 1);
    expect(await client?.send('TIME\n').line()).toMatch(/^JAM /);
    allowFiles(pid, 16); // fewer than are open already
    const [late] = await connectMany(port, 1);
    await service.logs(/Soket server gagal: .*EMFILE/);
    expect(await client?.send('TIME\n').line()).toMatch(/^JAM /);
    expect(await statusOf(`${url}/livez`, agent)).toBe(200);
    expect(await statusOf(`${url}/metrics`, agent)).toBe(200);
    allowFiles(pid, LIMIT);
    expect(await late?.send('TIME\n').line()).toMatch(/^JAM /);
    expect((await readyz(url)).code).toBe(200);
    expect((await service.stop()).code).toBe(0);
  });
});

describe('with a log that nobody reads', () => {
  it('the port answers', async () => {
    const { service, url } = await startManaged({ LOG_CLIENT_RATE: '0' });
    service.process.stdout.pause();
    const client = await service.connect();
    client.send('TIME\n'.repeat(50_000));
    await client.lines(50_000);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await readyz(url)).code).toBe(200);
    expect((await series(url)).get('line_lines_total')).toBe(50_000);
  });
});

describe.skipIf(!existsSync('/dev/full'))('with a log on a full disk', () => {
  it('the port answers', async () => {
    const [port, management] = [await freePort(), await freePort()];
    const child = spawn(process.execPath, [MAIN], {
      cwd: temporaryFolder(),
      env: { HOST: '127.0.0.1', PORT: String(port), MANAGEMENT_PORT: String(management) },
      stdio: ['ignore', openSync('/dev/full', 'w'), 'inherit'],
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const client = await connectAtLast(port);
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
    const url = `http://127.0.0.1:${management}`;
    expect((await readyz(url)).code).toBe(200);
    expect((await series(url)).get('line_lines_total')).toBe(1);
  });
});
