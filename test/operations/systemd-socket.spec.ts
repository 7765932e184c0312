/** A service that somebody else has opened the socket for: the real systemd-socket-activate. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import type { NetConnectOpts, Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { said } from '../support/cable.js';
import { freePort } from '../support/free-port.js';
import { TestClient } from '../support/line-client.js';
import { missing } from '../support/programs.js';
import { MAIN, type Service, startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { readyWorkers } from '../support/workers.js';

/**
 * Listens for the service, which it starts when somebody comes.
 * @param env what the service finds in its environment
 */
async function activate(
  options: readonly string[],
  env: Record<string, string> = {},
): Promise<Service> {
  const handedOn = Object.keys(env).map((name) => `--setenv=${name}`);
  const command = [...options, ...handedOn, process.execPath, MAIN];
  const service = startService(env, ['systemd-socket-activate', ...command]);
  await said(service.process, /Listening on/);
  return service;
}

/** The program that runs in the service's process now. */
function programOf({ process: { pid } }: Service): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0] ?? '';
}

/** A client that has asked for the time. */
async function asked(to: number | NetConnectOpts): Promise<{ socket: Socket; line: string }> {
  const client = await TestClient.connect(to);
  return { socket: client.socket, line: await client.send('TIME\n').line() };
}

/** What a service says that does not start. */
async function faultOf(service: Service): Promise<string> {
  expect(await service.exit).toEqual({ code: 1, signal: null });
  expect(service.stdout).not.toContain('mendengarkan');
  expect(service.stderr).not.toContain('    at ');
  return service.stderr;
}

describe.skipIf(missing('systemd-socket-activate'))('A service that is handed its socket', () => {
  it('is started by its first client, and serves it and those after it', async () => {
    const port = await freePort();
    const service = await activate([`--listen=127.0.0.1:${port}`]);
    expect(programOf(service)).toBe('systemd-socket-activate');
    for (let client = 0; client < 2; client++) {
      const { socket, line } = await asked(port);
      expect(line).toMatch(/^JAM /);
      expect(programOf(service)).toBe(process.execPath);
      socket.end();
    }
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });

  it('says where it listens, and that HOST and PORT have no effect', async () => {
    const [port, other] = [await freePort(), await freePort()];
    const service = await activate([`--listen=127.0.0.1:${port}`], { PORT: String(other) });
    await TestClient.connect(port);
    expect(await service.port()).toBe(port);
    expect(service.stdout).toContain('Memakai soket dari systemd. HOST dan PORT tidak berlaku.\n');
    await expect(TestClient.connect(other)).rejects.toThrow('ECONNREFUSED');
  });

  it('serves on a Unix socket as well', async () => {
    const path = join(temporaryFolder(), 'socket');
    await activate([`--listen=${path}`]);
    expect((await asked({ path })).line).toMatch(/^JAM /);
  });

  it('is served by its workers, who are handed none', async () => {
    const port = await freePort();
    const env = { WORKERS: '2', NOTIFY_SOCKET: '/nowhere' };
    const service = await activate([`--listen=127.0.0.1:${port}`], env);
    for (let client = 0; client < 4; client++) {
      const { socket, line } = await asked(port);
      expect(line).toMatch(/^JAM /);
      socket.end();
    }
    const workers = await readyWorkers(service, 2);
    const handed = workers.map((pid) => readFileSync(`/proc/${pid}/environ`, 'latin1'));
    expect(handed.filter((names) => /LISTEN_|NOTIFY_SOCKET/.test(names))).toEqual([]);
    expect(service.stdout.match(/Memakai soket dari systemd/g)).toHaveLength(1);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });

  it('leaves neither the socket nor the variables to the programs that it starts', async () => {
    const folder = temporaryFolder();
    const program = join(folder, 'systemd-notify');
    writeFileSync(
      program,
      `#!/bin/sh\n{ env; ls -l /proc/$$/fd; } >${folder}/new && mv ${folder}/new ${folder}/$1\n`,
    );
    chmodSync(program, 0o755);
    const port = await freePort();
    const env = { PATH: `${folder}:${process.env['PATH']}`, NOTIFY_SOCKET: '/x', SECRET: 'y' };
    const service = await activate([`--listen=127.0.0.1:${port}`], env);
    const file = join(folder, 'READY=1');
    const client = await TestClient.connect(port);
    while (!existsSync(file)) await client.send('TIME\n').line();
    client.end();
    await service.stop();
    const seen = readFileSync(file, 'utf8');
    expect(seen).toContain('NOTIFY_SOCKET=/x\n');
    expect(seen).not.toMatch(/LISTEN|SECRET| 3 -> socket/);
  });

  it('does not start with two of them, and says why', async () => {
    const [port, other] = [await freePort(), await freePort()];
    const both = [`--listen=127.0.0.1:${port}`, `--listen=127.0.0.1:${other}`];
    const service = await activate(both);
    await TestClient.connect(port);
    expect(await faultOf(service)).toContain(
      'The settings are wrong:\n' +
        '  LISTEN_FDS must be 1, not "2": the service listens on one socket of systemd; ' +
        'leave one ListenStream= in its socket unit\n',
    );
  });

  it('does not start with one that has no connections, and says why', async () => {
    const port = await freePort();
    const service = await activate(['--datagram', `--listen=127.0.0.1:${port}`]);
    createSocket('udp4').unref().send('TIME\r\n', port, '127.0.0.1');
    expect(await faultOf(service)).toContain('descriptor 3: it is no listening socket;');
  });

  it('does not start with a connection in its place, and says why', async () => {
    const port = await freePort();
    const service = await activate(['--accept', `--listen=127.0.0.1:${port}`]);
    const client = await TestClient.connect(port);
    await client.ended(); // the service has let go of it
    service.process.kill();
    await service.exit;
    expect(service.stderr).toContain('descriptor 3: it is no listening socket;');
  });
});

describe('Variables that were meant for another process', () => {
  it('have no effect', async () => {
    const service = startService({ LISTEN_FDS: '2', LISTEN_PID: '1' });
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
    expect(service.stdout).not.toContain('systemd');
  });
});
