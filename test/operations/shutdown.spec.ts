import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TestClient } from '../support/line-client.js';
import { type Service, startService } from '../support/service.js';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Connects a client that asks for more than the kernel can hold, never reads, and so never lets its session finish. */
async function connectDeaf(service: Service): Promise<void> {
  const socket = connect({ port: await service.port(), host: '127.0.0.1' });
  socket.on('error', () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  socket.write(`first\n${'TIME\n'.repeat(4_000_000)}`);
  await service.logs(/Perintah tidak valid/); // the flood is on its way
}

/** Connects until it is refused; what the kernel accepted a moment before is still served, or reset. */
async function untilRefused(port: number): Promise<void> {
  try {
    const client = await TestClient.connect(port);
    await client.ended();
    client.end();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED') return;
  }
  await untilRefused(port);
}

/** When a line of the log was written, in milliseconds. */
async function timeOf(service: Service, message: string): Promise<number> {
  const [, timestamp = ''] = await service.logs(new RegExp(`(.{23}) - \\[SERVER\\] - ${message}`));
  return Date.parse(timestamp.replace(',', '.'));
}

describe.each(SIGNALS)('on %s the service', (signal) => {
  it('exits with 0 and complains of nothing', async () => {
    const service = startService();
    await service.port();
    expect(await service.stop(signal)).toEqual({ code: 0, signal: null });
    expect(service.stderr).toBe('');
    expect(service.stdout).toMatch(/ - Server berhenti\.\n$/);
  });

  it('closes the connection of a silent client in order: it reads an end, not an error', async () => {
    const service = startService();
    const silent = await service.connect();
    const served = await service.connect();
    served.send('TIME\n');
    await served.line();
    service.process.kill(signal);
    expect(await silent.transcript()).toBe('');
    expect(await served.transcript()).toBe('');
    silent.end();
    served.end();
    expect(await service.exit).toEqual({ code: 0, signal: null });
  });

  it('answers every request that was sent before', async () => {
    const service = startService();
    const client = await service.connect();
    client.send('TIME\n');
    await client.line();
    await new Promise((resolve) => {
      client.socket.write('TIME\n'.repeat(5_000), resolve);
    });
    service.process.kill(signal);
    expect(await client.transcript()).toMatch(/^(JAM \d\d:\d\d:\d\d\r\n){5000}$/);
    client.end();
    expect(await service.exit).toEqual({ code: 0, signal: null });
  });

  it('exits with 0 also when a client has to be cut, not before SHUTDOWN_GRACE_MS', async () => {
    const service = startService({ LOG_REQUESTS: 'false', SHUTDOWN_GRACE_MS: '300' });
    await connectDeaf(service);
    expect(await service.stop(signal)).toEqual({ code: 0, signal: null });
    const begun = await timeOf(service, 'Server berhenti menerima koneksi');
    const finished = await timeOf(service, 'Server berhenti\\. 1 sesi diputus\\.\\n$');
    expect(finished - begun).toBeGreaterThanOrEqual(295);
  });
});

describe('while the last sessions finish', () => {
  it('no connection is accepted, and the process waits', async () => {
    const service = startService({ LOG_REQUESTS: 'false', SHUTDOWN_GRACE_MS: '600000' });
    const port = await service.port();
    await connectDeaf(service);
    service.process.kill('SIGTERM');
    await service.logs(/Server berhenti menerima koneksi\. 1 sesi diselesaikan\.\.\.\n/);
    await untilRefused(port);
    expect(service.process.exitCode).toBeNull();
  });

  it.each([
    ['SIGTERM', 'SIGTERM', 143],
    ['SIGINT', 'SIGINT', 130],
    ['SIGTERM', 'SIGINT', 130],
    ['SIGINT', 'SIGTERM', 143],
  ] as const)('%s and then %s ends the process at once, with %i', async (first, second, code) => {
    const service = startService({ LOG_REQUESTS: 'false', SHUTDOWN_GRACE_MS: '600000' });
    await connectDeaf(service);
    service.process.kill(first);
    await service.logs(/Server berhenti menerima koneksi/);
    expect(await service.stop(second)).toEqual({ code, signal: null });
    expect(service.stdout).not.toContain('Server berhenti.');
  });
});

describe('a service without clients', () => {
  it('waits for no grace', async () => {
    const service = startService({ SHUTDOWN_GRACE_MS: '600000' });
    const client = await service.connect();
    client.send('QUIT\n');
    await client.transcript();
    client.end();
    await once(client.socket, 'close');
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});
