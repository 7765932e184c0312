/** `--check-config`: what the service would run with, and everything for which it would not start. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SETTING_NAMES } from '../../src/operations/config/settings.js';
import { selfSigned } from '../support/certificates.js';
import { missing } from '../support/programs.js';
import { COVERAGE, MAIN, Service } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Checked {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Checks the configuration in a folder. */
async function check(
  env: Record<string, string> = {},
  args: string[] = [],
  cwd = temporaryFolder(),
): Promise<Checked> {
  const child = spawn(process.execPath, [MAIN, '--check-config', ...args], {
    cwd,
    env: { ...COVERAGE, ...env },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const program = new Service(child);
  const { code } = await program.exit;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/** The settings that were printed. */
function printed({ stdout }: Checked): Record<string, string> {
  const lines = stdout.trimEnd().split('\n');
  return Object.fromEntries(lines.map((line) => /^([A-Z_]+)=(.*)$/.exec(line)?.slice(1) ?? []));
}

describe('--check-config', () => {
  it('prints every setting with its value, one a line, and ends with 0', async () => {
    const checked = await check();
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    const settings = printed(checked);
    expect(Object.keys(settings)).toEqual(SETTING_NAMES);
    expect(settings).toMatchObject({ HOST: '', PORT: '45000', LOG_REQUESTS: 'true', LOCALE: 'id' });
  });

  it('prints what is in effect: from flags, from the environment and from the .env file', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, '.env'), 'PORT=1\nLOCALE=en\nLOG_FORMAT=json\n');
    const env = { PORT: '2', LOG_FORMAT: 'text', ALLOW_ADDRESSES: '::1 10.0.0.0/8' };
    expect(printed(await check(env, ['--port', '3'], cwd))).toMatchObject({
      PORT: '3',
      LOG_FORMAT: 'text',
      LOCALE: 'en',
      ALLOW_ADDRESSES: '::1,10.0.0.0/8',
    });
  });

  it('does not listen', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => {
      server.close();
    });
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    expect(await check({ HOST: '127.0.0.1', PORT: String(port) })).toMatchObject({ code: 0 });
  });

  it('names a variable that has no effect, on standard error', async () => {
    expect(await check({ IDLE_TIMEOUT: '5' })).toMatchObject({
      code: 0,
      stderr: 'Variable IDLE_TIMEOUT is unknown. Did you mean IDLE_TIMEOUT_MS?\n',
    });
  });

  it('names everything for which the service would not start, and ends with 1', async () => {
    const env = { LOCALE: 'fr', TLS_KEY_FILE: '/none/key.pem', TLS_CERT_FILE: '/none/cert.pem' };
    expect(await check(env, ['--port', 'http', '--tls-client-ca-file=/none/ca.pem'])).toEqual({
      code: 1,
      stdout: '',
      stderr: [
        'The settings are wrong:',
        '  --port (PORT) must be a whole number from 0 to 65535, not "http"',
        '  LOCALE must be id or en, not "fr"',
        '  TLS_KEY_FILE must name a file that can be read, not "/none/key.pem": there is none of that name',
        '  TLS_CERT_FILE must name a file that can be read, not "/none/cert.pem": there is none of that name',
        '  --tls-client-ca-file (TLS_CLIENT_CA_FILE) must name a file that can be read, not "/none/ca.pem": there is none of that name',
        '',
      ].join('\n'),
    });
  });
});

describe.skipIf(missing('openssl'))('--check-config with TLS', () => {
  /** The settings of TLS, with a certificate for so many days. */
  function tlsSettings(days: number): Record<string, string> {
    const folder = temporaryFolder();
    const { key, cert } = selfSigned('localhost', days);
    const [TLS_KEY_FILE, TLS_CERT_FILE] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    writeFileSync(TLS_KEY_FILE, key);
    writeFileSync(TLS_CERT_FILE, cert);
    return { TLS_KEY_FILE, TLS_CERT_FILE };
  }

  it('prints the names of the files, and hides the passphrase', async () => {
    const given = tlsSettings(30);
    const checked = await check({ ...given, TLS_KEY_PASSPHRASE: 'open sesame' });
    expect(checked).toMatchObject({ code: 0, stderr: '' });
    expect(printed(checked)).toMatchObject({ ...given, TLS_KEY_PASSPHRASE: '(hidden)' });
    expect(checked.stdout).not.toContain('sesame');
    expect(printed(await check(given))).toMatchObject({ TLS_KEY_PASSPHRASE: '' });
  });

  it('says that a certificate expires soon, and ends with 0, as the service would start', async () => {
    const { code, stderr } = await check(tlsSettings(5));
    expect(code).toBe(0);
    expect(stderr).toMatch(/^The TLS certificate CN ?= ?localhost is valid only to 20\S+Z\.\n$/);
  });
});
