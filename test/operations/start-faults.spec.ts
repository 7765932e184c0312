import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { COVERAGE, MAIN, Service, startService } from '../support/service.js';
import { freePort } from '../support/free-port.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Starts the service in a folder whose .env file says this. */
function startWithEnvFile(file: string, env: Record<string, string> = {}): Service {
  const cwd = temporaryFolder();
  writeFileSync(join(cwd, '.env'), file);
  const child = spawn(process.execPath, [MAIN], { cwd, env: { ...COVERAGE, ...env } });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return new Service(child);
}

/** What a service that cannot start says of it. */
async function faultOf(service: Service): Promise<string> {
  expect(await service.exit).toEqual({ code: 1, signal: null });
  expect(service.stderr).not.toContain('    at ');
  expect(service.stdout).not.toContain('mendengarkan');
  return service.stderr;
}

describe('a service with wrong settings', () => {
  it('names them all on stderr and exits with 1, before it does anything else', async () => {
    const service = startService({ PORT: '-1', LOCALE: 'fr', TIME_ZONE: 'Mars/Olympus_Mons' });
    expect(await faultOf(service)).toBe(
      [
        'The settings are wrong:',
        '  PORT must be a whole number from 0 to 65535, not "-1"',
        '  TIME_ZONE must be an IANA time zone such as Asia/Jakarta, not "Mars/Olympus_Mons"',
        '  LOCALE must be id or en, not "fr"',
        '',
      ].join('\n'),
    );
    expect(service.stdout).toBe('');
  });
});

describe('a service that cannot listen', () => {
  it('says that its port is in use, in one line on stderr, and exits with 1', async () => {
    const port = await freePort();
    const server = createServer().listen(port, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await once(server, 'listening');
    expect(await faultOf(startService({ PORT: String(port) }))).toBe(
      `Cannot listen on port ${port} of 127.0.0.1: another process listens there already; ` +
        'stop it or choose another port (EADDRINUSE).\n',
    );
  });

  it('does not take the port of another service', async () => {
    const first = startService();
    const port = String(await first.port());
    expect(await faultOf(startService({ PORT: port }))).toContain('(EADDRINUSE).\n');
    const client = await first.connect();
    client.send('TIME\n');
    expect(await client.line()).toMatch(/^JAM /);
  });

  it('says that its host is no address of this machine', async () => {
    expect(await faultOf(startService({ HOST: '192.0.2.1' }))).toBe(
      'Cannot listen on port 0 of 192.0.2.1: this machine has no such address; ' +
        'choose one it has, or none for all (EADDRNOTAVAIL).\n',
    );
  });

  it('says in one line that its host does not exist', async () => {
    expect(await faultOf(startService({ HOST: 'nowhere.invalid' }))).toMatch(
      /^Cannot listen on port 0 of nowhere\.invalid: [^\n]+ \((ENOTFOUND|EAI_AGAIN)\)\.\n$/,
    );
  });
});

describe('the .env file of the working directory', () => {
  it('is read', async () => {
    const service = startWithEnvFile('HOST=127.0.0.1\nPORT=0\nLOCALE=en\n');
    const client = await service.connect();
    client.send('time\n');
    expect(await client.line()).toBe('UNKNOWN COMMAND. Use TIME or QUIT.');
    expect(service.stdout).toContain('Server is up and listening on port ');
  });

  it('gives way to the environment', async () => {
    const service = startWithEnvFile('HOST=127.0.0.1\nPORT=0\nLOCALE=en\n', { LOCALE: 'id' });
    const client = await service.connect();
    client.send('time\n');
    expect(await client.line()).toBe('PERINTAH TIDAK DIKENALI. Gunakan TIME atau QUIT.');
  });

  it('is checked like the environment', async () => {
    const service = startWithEnvFile('PORT=http\nLOG_FORMAT=xml\n', { PORT: '0' });
    expect(await faultOf(service)).toBe(
      'The settings are wrong:\n  LOG_FORMAT must be text or json, not "xml"\n',
    );
  });
});

describe('a variable that was probably meant for the service', () => {
  it('is warned of, wherever it is set, and the service runs', async () => {
    const env = { IDLE_TIMEOUT: '5', LOG_FORMAT: 'json', HOME: '/root', LANG: 'id_ID.UTF-8' };
    const service = startWithEnvFile('HOST=127.0.0.1\nPORT=0\nTIMEZONE=UTC\n', env);
    await service.logs(/TIMEZONE.*\n/);
    await service.logs(/"event":"listening".*\n/);
    const warnings = service.stdout
      .split('\n')
      .filter((line) => line.includes('"level":"warn"') && !line.includes('"runningAsRoot"'));
    expect(warnings.map((line): unknown => JSON.parse(line))).toMatchObject([
      {
        event: 'settingMisspelt',
        name: 'IDLE_TIMEOUT',
        meant: 'IDLE_TIMEOUT_MS',
        msg: 'Variabel IDLE_TIMEOUT tidak dikenal. Maksudnya IDLE_TIMEOUT_MS?',
      },
      { event: 'settingMisspelt', name: 'TIMEZONE', meant: 'TIME_ZONE' },
    ]);
  });

  it('is not suspected in an ordinary environment', async () => {
    const service = startService({ HOME: '/', HOSTNAME: 'x', LANG: 'C', TZ: 'UTC', USER: 'x' });
    await service.port();
    await service.stop();
    expect(service.stdout).not.toContain('Maksudnya');
  });
});
