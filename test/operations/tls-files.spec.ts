/** TLS from the files that the settings name: what is served, who is refused, and what is said of files that are wrong. */
import { execFileSync, spawn } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SettingsError } from '../../src/operations/config/settings.js';
import { readTlsFiles, type TlsFileSettings } from '../../src/operations/tls/tls-files.js';
import { type Certificate, selfSigned } from '../support/certificates.js';
import { TestClient } from '../support/line-client.js';
import { loadedBy } from '../support/loaded.js';
import { missing } from '../support/programs.js';
import { startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { connectTls, startTlsService, TlsFiles, told } from '../support/tls-service.js';

const JAM = /^JAM \d\d:\d\d:\d\d$/;

/** A key as openssl encrypts it. */
function encrypted({ key }: Certificate, type: 'pkcs8' | 'sec1'): string {
  const cipher = { cipher: 'aes-256-cbc', passphrase: 'open sesame' };
  return String(createPrivateKey(key).export({ type, format: 'pem', ...cipher }));
}

/** What is wrong with files, in sentences. */
function faults(given: TlsFileSettings): string[] {
  try {
    readTlsFiles(given);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.faults.map(({ name, rule }) => `${name} ${rule}`);
  }
}

describe.skipIf(missing('openssl'))('A service with TLS', () => {
  it('tells openssl s_client, which trusts its certificate, the time', async () => {
    const files = new TlsFiles().write(selfSigned());
    const port = String(await startTlsService(files).port());
    const trust = ['-CAfile', files.cert, '-verify_return_error', '-verify_hostname', 'localhost'];
    const child = spawn('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-quiet',
      ...trust,
    ]);
    onTestFinished(() => {
      child.kill();
    });
    child.stdin.write('TIME\nQUIT\n');
    const [line, rest] = (await text(child.stdout)).split('\r\n');
    expect(line).toMatch(JAM);
    expect(rest).toBe('');
  });

  it('serves a client of TLS 1.2, unless TLS_MIN_VERSION is TLSv1.3', async () => {
    const files = new TlsFiles().write(selfSigned());
    const old = { maxVersion: 'TLSv1.2' } as const;
    const client = await connectTls(startTlsService(files), old);
    expect(await client.send('TIME\n').line()).toMatch(JAM);

    const strict = startTlsService(files, { TLS_MIN_VERSION: 'TLSv1.3' });
    await expect(connectTls(strict, old)).rejects.toThrow(/protocol version/);
    await strict.logs(/"tlsHandshakeFailed"/);
    const modern = await connectTls(strict);
    expect(await modern.send('TIME\n').line()).toMatch(JAM);
  });

  it('ends a handshake that takes longer than TLS_HANDSHAKE_TIMEOUT_MS, and logs it', async () => {
    const files = new TlsFiles().write(selfSigned());
    const service = startTlsService(files, { TLS_HANDSHAKE_TIMEOUT_MS: '300' });
    const silent = await TestClient.connect(await service.port());
    await silent.ended();
    await service.logs(/"tlsHandshakeFailed"/);
    expect(told(service, 'tlsHandshakeFailed')).toMatchObject([
      { level: 'warn', remotePort: silent.socket.localPort },
    ]);
  });

  it('with TLS_CLIENT_CA_FILE serves only clients whose certificate is signed by one in it', async () => {
    const [friend, stranger] = [selfSigned('friend'), selfSigned('stranger')];
    const files = new TlsFiles().write(selfSigned());
    const service = startTlsService(files, {
      TLS_CLIENT_CA_FILE: files.add('ca.pem', friend.cert),
    });
    for (const certificate of [{}, stranger]) {
      const client = await connectTls(service, certificate); // TLS 1.3 tells it only afterwards
      await client.send('TIME\n').ended();
      expect(client.received).toBe('');
    }
    const client = await connectTls(service, friend);
    expect(await client.send('TIME\n').line()).toMatch(JAM);
    expect(told(service, 'tlsHandshakeFailed')).toHaveLength(2);
  });

  it('takes a key that is encrypted, with its passphrase', async () => {
    const certificate = selfSigned();
    const files = new TlsFiles().write(certificate);
    writeFileSync(files.key, encrypted(certificate, 'pkcs8'));
    const service = startTlsService(files, { TLS_KEY_PASSPHRASE: 'open sesame' });
    expect(await (await connectTls(service)).send('TIME\n').line()).toMatch(JAM);
  });

  it('warns at its start of a certificate that soon expires, and not of one that does not', async () => {
    const service = startTlsService(new TlsFiles().write(selfSigned('localhost', 10)));
    await service.port();
    expect(told(service, 'tlsCertificateExpires')).toMatchObject([
      { level: 'warn', subject: 'CN=localhost', validTo: expect.stringMatching(/^20.*Z$/) },
    ]);
    const other = startTlsService(new TlsFiles().write(selfSigned('localhost', 20)));
    await other.port();
    expect(told(other, 'tlsCertificateExpires')).toEqual([]);
  });

  it('does not start with files that are wrong: it names every fault, also of other settings', async () => {
    const files = new TlsFiles().write({ key: Buffer.from('x'), cert: Buffer.from('y') });
    const service = startTlsService(files, { PORT: '-1' });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stdout).toBe('');
    expect(service.stderr).toBe(
      [
        'The settings are wrong:',
        '  PORT must be a whole number from 0 to 65535, not "-1"',
        `  TLS_KEY_FILE must name a file with a private key in PEM form, not "${files.key}"`,
        `  TLS_CERT_FILE must name a file with whole certificates in PEM form, not "${files.cert}"`,
        '',
      ].join('\n'),
    );
  });
});

describe('A service without TLS', () => {
  it('loads nothing of it', async () => {
    const folder = temporaryFolder();
    const service = startService({ NODE_V8_COVERAGE: folder });
    await service.port();
    await service.stop();
    const loaded = await loadedBy(service, folder);
    expect(loaded.filter((url) => /operations\/tls\/(?!tls-options)/.test(url))).toEqual([]);
    expect(loaded.some((url) => url.endsWith('/operations/tls/tls-options.js'))).toBe(true);
  });
});

describe.skipIf(missing('openssl'))('What is said of TLS files', () => {
  it('is nothing if they are well: with a chain, with text around, with a CA, with an old key', () => {
    const [certificate, ca] = [selfSigned(), selfSigned('ca')];
    const files = new TlsFiles().write(certificate);
    const TLS_CLIENT_CA_FILE = files.add('ca.pem', ca.cert);
    files.add('cert.pem', `Certificate:\n${String(certificate.cert)}\n${String(ca.cert)}`);
    expect(faults({ ...files.settings, TLS_CLIENT_CA_FILE })).toEqual([]);
    files.add('key.pem', encrypted(certificate, 'sec1'));
    expect(faults({ ...files.settings, TLS_KEY_PASSPHRASE: 'open sesame' })).toEqual([]);
  });

  it.each(['TLS_KEY_FILE', 'TLS_CERT_FILE', 'TLS_CLIENT_CA_FILE'])(
    'tells that %s is not there',
    (name) => {
      const given = { ...new TlsFiles().write(selfSigned()).settings, [name]: '/none.pem' };
      expect(faults(given)).toEqual([
        `${name} must name a file that can be read, not "/none.pem": there is none of that name`,
      ]);
    },
  );

  it('tells that a name is that of a directory', () => {
    const files = new TlsFiles().write(selfSigned());
    expect(faults({ ...files.settings, TLS_KEY_FILE: files.folder })).toEqual([
      `TLS_KEY_FILE must name a file that can be read, not "${files.folder}": that is a directory`,
    ]);
  });

  it.skipIf(process.getuid?.() === 0)('tells that a file is not for this user', () => {
    const files = new TlsFiles().write(selfSigned());
    chmodSync(files.key, 0);
    expect(faults(files.settings)).toEqual([
      `TLS_KEY_FILE must name a file that can be read, not "${files.key}": this user may not read it`,
    ]);
  });

  it.each([
    ['empty', ''],
    ['no PEM', 'certificate'],
    ['something else', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'],
    ['PEM of nothing', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'],
  ])('tells that a file is %s where a certificate must be', (_what, content) => {
    const files = new TlsFiles().write(selfSigned());
    const TLS_CLIENT_CA_FILE = files.add('ca.pem', content);
    files.add('cert.pem', content);
    expect(faults({ ...files.settings, TLS_CLIENT_CA_FILE })).toEqual([
      `TLS_CERT_FILE must name a file with whole certificates in PEM form, not "${files.cert}"`,
      `TLS_CLIENT_CA_FILE must name a file with whole certificates in PEM form, not "${TLS_CLIENT_CA_FILE}"`,
    ]);
  });

  it('tells that a certificate is cut off, also the last one', () => {
    const { key, cert } = selfSigned();
    const half = cert.subarray(0, 300);
    const files = new TlsFiles();
    for (const cut of [half, Buffer.concat([cert, half])]) {
      files.write({ key, cert: cut });
      expect(faults(files.settings)).toEqual([
        `TLS_CERT_FILE must name a file with whole certificates in PEM form, not "${files.cert}"`,
      ]);
    }
  });

  it('tells that there is no key, or half of one', () => {
    const { key, cert } = selfSigned();
    const files = new TlsFiles();
    for (const wrong of [Buffer.from('key'), cert, key.subarray(0, 100)]) {
      files.write({ key: wrong, cert });
      expect(faults(files.settings)).toEqual([
        `TLS_KEY_FILE must name a file with a private key in PEM form, not "${files.key}"`,
      ]);
    }
  });

  it('tells that the key is that of another certificate', () => {
    const files = new TlsFiles().write({ key: selfSigned().key, cert: selfSigned().cert });
    expect(faults(files.settings)).toEqual([
      'TLS_KEY_FILE must be the key of the first certificate in TLS_CERT_FILE, and is not',
    ]);
  });

  it.each(['pkcs8', 'sec1'] as const)(
    'tells that the passphrase of a key is missing or wrong: %s',
    (type) => {
      const certificate = selfSigned();
      const files = new TlsFiles().write(certificate);
      files.add('key.pem', encrypted(certificate, type));
      expect(faults(files.settings)).toEqual([
        'TLS_KEY_PASSPHRASE must be set, since the key in TLS_KEY_FILE is encrypted',
      ]);
      expect(faults({ ...files.settings, TLS_KEY_PASSPHRASE: 'sesame' })).toEqual([
        'TLS_KEY_PASSPHRASE must be what the key in TLS_KEY_FILE is encrypted with, and is not',
      ]);
    },
  );

  it('tells what OpenSSL itself has against them', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 512 });
    const files = new TlsFiles();
    files.add('key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const self = ['-key', files.key, '-out', files.cert, '-subj', '/CN=short', '-days', '1'];
    execFileSync('openssl', ['req', '-x509', ...self], { stdio: 'ignore' });
    expect(faults(files.settings)).toEqual([
      expect.stringMatching(/^TLS_CERT_FILE is refused by OpenSSL: .*key too small$/),
    ]);
  });
});
