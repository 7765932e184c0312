/** Whether new clients should be sent here: from the start to the last reply. */
import { describe, expect, it } from 'vitest';
import { type Ready, readyz, startManaged } from '../support/management.js';
import { TestClient } from '../support/line-client.js';

/** What keeps it from being ready. */
function reasons({ details }: Ready): unknown {
  return Object.fromEntries(Object.entries(details).filter(([, { status }]) => status !== 'up'));
}

describe('a service that serves', () => {
  it('is ready, and tells what that was judged from', async () => {
    const { service, url } = await startManaged({ MAX_CONNECTIONS: '20' });
    await service.connect();
    await service.logs(/dimulai/);
    const ready = await readyz(url);
    expect(ready.code).toBe(200);
    expect(ready.details).toMatchObject({
      line: { status: 'up' },
      connections: { status: 'up', open: 1, max: 20 },
      clock: { status: 'up' },
    });
    expect((await fetch(`${url}/readyz`)).headers.get('cache-control')).toContain('no-store');
  });

  it('is not ready from nine tenths of its connections on, still serves more, and is ready again when one goes', async () => {
    const { service, url } = await startManaged({ MAX_CONNECTIONS: '10' });
    const port = await service.port();
    const clients: TestClient[] = [];
    for (let count = 1; count <= 8; count++) clients.push(await TestClient.connect(port));
    for (const client of clients) await client.send('TIME\n').line();
    expect((await readyz(url)).code).toBe(200);
    const ninth = await TestClient.connect(port);
    expect(await ninth.send('TIME\n').line()).toMatch(/^JAM /);
    const full = await readyz(url);
    expect(full.code).toBe(503);
    expect(reasons(full)).toEqual({ connections: { status: 'down', open: 9, max: 10 } });
    ninth.end('QUIT\n');
    await ninth.transcript();
    await service.logs(/telah berhenti/);
    expect((await readyz(url)).code).toBe(200);
  });

  it('does not fill the log when it is not ready', async () => {
    const { service, url } = await startManaged({ MAX_CONNECTIONS: '1' });
    await service.connect();
    await service.logs(/dimulai/);
    const before = service.stdout;
    for (let count = 0; count < 10; count++) expect((await readyz(url)).code).toBe(503);
    await service.stop();
    expect(service.stdout.slice(before.length)).not.toMatch(/Health|terminus|503/i);
  });
});

describe('a service that is told to end', () => {
  it('is not ready from the signal on, while it serves on, and until its last conversation is over', async () => {
    const { service, url } = await startManaged({ SHUTDOWN_DELAY_MS: '3000' });
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
    const held = await service.connect();
    held.send('x\n'.repeat(4_000_000)); // never reads
    held.socket.pause();
    await service.logs(/Perintah tidak valid/);

    service.process.kill('SIGTERM');
    await expect.poll(async () => reasons(await readyz(url))).toHaveProperty('line');
    const leaving = await readyz(url);
    expect(leaving.code).toBe(503);
    expect(leaving.details['line']).toEqual({ status: 'down', message: 'was told to end' });
    expect(service.stdout).not.toContain('Server berhenti menerima koneksi');
    const late = await service.connect();
    expect(await late.send('TIME\n').line()).toMatch(/^JAM /);

    await service.logs(/Server berhenti menerima koneksi\. \d sesi diselesaikan/);
    expect((await readyz(url)).code).toBe(503);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/metrics`)).status).toBe(200);
    held.reset();
    client.end();
    late.end();
    expect(await service.exit).toEqual({ code: 0, signal: null });
    await expect(fetch(`${url}/livez`)).rejects.toThrow('fetch failed');
  });
});
