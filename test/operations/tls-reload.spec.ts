/** New TLS files while the service runs: who connects is shown the new certificate, who converses notices nothing. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LineServer } from '../../src/line-transport/index.js';
import { readSettings } from '../../src/operations/config/settings.js';
import { createLog } from '../../src/operations/logging/log.js';
import { TlsCertificate } from '../../src/operations/tls/tls-certificate.js';
import { TlsExpiry } from '../../src/operations/tls/tls-expiry.js';
import { TlsReload } from '../../src/operations/tls/tls-reload.js';
import { selfSigned } from '../support/certificates.js';
import { missing } from '../support/programs.js';
import { type Service, startService } from '../support/service.js';
import { connectTls, shownName, startTlsService, TlsFiles, told } from '../support/tls-service.js';

const JAM = /^JAM \d\d:\d\d:\d\d$/;

vi.setConfig({ testTimeout: 60_000 }); // files settle for seconds, and a busy machine is slow to start a service

/** Waits until the log tells an event for the n-th time. */
async function toldTimes(service: Service, event: string, times: number): Promise<void> {
  await service.logs(new RegExp(`(?:"event":"${event}"[^]*?){${times}}\\n`));
}

describe.skipIf(missing('openssl'))('On SIGHUP a service with TLS', () => {
  it('shows new clients the new certificate, tells so, and goes on with the conversations it has', async () => {
    const files = new TlsFiles().write(selfSigned('old'));
    const service = startTlsService(files);
    const client = await connectTls(service);
    expect(await client.send('TIME\n').line()).toMatch(JAM);
    expect(await shownName(service)).toBe('old');

    files.write(selfSigned('new'));
    service.process.kill('SIGHUP');
    await toldTimes(service, 'tlsReloaded', 1);
    expect(await shownName(service)).toBe('new');
    expect(await client.send('TIME\n').line()).toMatch(JAM);
    expect(told(service, 'tlsReloaded')).toMatchObject([
      {
        level: 'info',
        subject: 'CN=new',
        fingerprint: expect.stringMatching(/^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/),
        validTo: expect.stringMatching(/Z$/),
      },
    ]);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });

  it('keeps the old certificate where the new one is wrong, tells why, and takes it when it is mended', async () => {
    const old = selfSigned('old');
    const files = new TlsFiles().write(old);
    const service = startTlsService(files);
    await service.port();

    files.write({ key: old.key, cert: Buffer.from('garbage') });
    service.process.kill('SIGHUP');
    await toldTimes(service, 'tlsReloadFailed', 1);
    expect(await shownName(service)).toBe('old');
    expect(told(service, 'tlsReloadFailed')).toMatchObject([
      {
        level: 'error',
        msg:
          'Failed to reload the TLS certificate, the old one stays in use: ' +
          `TLS_CERT_FILE must name a file with whole certificates in PEM form, not "${files.cert}"`,
      },
    ]);

    files.write(selfSigned('new'));
    service.process.kill('SIGHUP');
    await toldTimes(service, 'tlsReloaded', 1);
    expect(await shownName(service)).toBe('new');
    expect(service.stderr).toBe('');
  });

  it('trusts the clients of the new TLS_CLIENT_CA_FILE, and no longer those of the old one', async () => {
    const [former, latter] = [selfSigned('former'), selfSigned('latter')];
    const files = new TlsFiles().write(selfSigned());
    const service = startTlsService(files, {
      TLS_CLIENT_CA_FILE: files.add('ca.pem', former.cert),
    });
    expect(await (await connectTls(service, former)).send('TIME\n').line()).toMatch(JAM);
    files.add('ca.pem', latter.cert);
    service.process.kill('SIGHUP');
    await toldTimes(service, 'tlsReloaded', 1);
    expect(await (await connectTls(service, latter)).send('TIME\n').line()).toMatch(JAM);
    const refused = await connectTls(service, former);
    await refused.send('TIME\n').ended();
    expect(refused.received).toBe('');
  });
});

describe.skipIf(missing('openssl'))('When its TLS files change, a service', () => {
  it('shows new clients the new certificate, once both files are written', async () => {
    const files = new TlsFiles().write(selfSigned('old'));
    const service = startTlsService(files);
    await service.port();
    files.write(selfSigned('new'));
    await toldTimes(service, 'tlsReloaded', 1);
    expect(await shownName(service)).toBe('new');
    expect(told(service, 'tlsReloadFailed')).toEqual([]);
  });

  it('notices a file that takes the place of another, as editors write', async () => {
    const files = new TlsFiles().write(selfSigned('old'));
    const service = startTlsService(files);
    await service.port();
    const { key, cert } = selfSigned('new');
    renameSync(files.add('key.new', key), files.key);
    renameSync(files.add('cert.new', cert), files.cert);
    await toldTimes(service, 'tlsReloaded', 1);
    expect(await shownName(service)).toBe('new');
  });

  it('notices a symbolic link above them that leads elsewhere, as in a Secret of Kubernetes', async () => {
    const files = new TlsFiles();
    const version = (name: string): string => {
      const folder = join(files.folder, name);
      mkdirSync(folder);
      new TlsFiles(folder).write(selfSigned(name));
      return name;
    };
    const swap = (name: string): void => {
      symlinkSync(name, join(files.folder, '..data.new'));
      renameSync(join(files.folder, '..data.new'), join(files.folder, '..data'));
    };
    swap(version('old'));
    symlinkSync('..data/key.pem', files.key);
    symlinkSync('..data/cert.pem', files.cert);
    const service = startTlsService(files);
    expect(await shownName(service)).toBe('old');
    swap(version('new'));
    rmSync(join(files.folder, 'old'), { recursive: true });
    await toldTimes(service, 'tlsReloaded', 1);
    expect(await shownName(service)).toBe('new');
    expect(told(service, 'tlsReloadFailed')).toEqual([]);
  });

  it('keeps the old one while they are garbage or gone, tells each once, and takes them when they are mended', async () => {
    const old = selfSigned('old');
    const files = new TlsFiles().write(old);
    const service = startTlsService(files);
    await service.port();

    writeFileSync(files.cert, 'garbage');
    await toldTimes(service, 'tlsReloadFailed', 1);
    expect(await shownName(service)).toBe('old');
    rmSync(files.cert);
    await toldTimes(service, 'tlsReloadFailed', 2);
    expect(await shownName(service)).toBe('old');

    files.write(selfSigned('new'));
    await toldTimes(service, 'tlsReloaded', 1);
    expect(await shownName(service)).toBe('new');
    expect(told(service, 'tlsReloadFailed')).toHaveLength(2);
  });
});

describe.skipIf(missing('openssl'))('TLS files that are read when the service starts', () => {
  /** Reads them, and lets the time pass in which they settle. */
  function startReload(files: TlsFiles): { start: () => void; logged: () => string } {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const given = readSettings({ ...files.settings });
    const certificate = new TlsCertificate(given);
    const output = new PassThrough({ encoding: 'utf8' });
    const log = createLog({ level: 'info', format: 'json' }, output);
    const server = new LineServer({ tls: certificate.options });
    const expiry = new TlsExpiry(certificate, log, given);
    const reload = new TlsReload(server, certificate, expiry, log, given);
    onTestFinished(() => {
      reload.onApplicationShutdown();
      vi.useRealTimers();
    });
    return {
      start: () => {
        reload.onApplicationBootstrap();
        vi.advanceTimersByTime(60_000);
      },
      logged: () => String(output.read() ?? ''),
    };
  }

  it('are read once more, in case they have just been changed', () => {
    const files = new TlsFiles().write(selfSigned('old', 30));
    const { start, logged } = startReload(files);
    files.write(selfSigned('new', 30));
    start();
    expect(logged().match(/"event":"\w+","subject":"[^"]+"/g)).toEqual([
      '"event":"tlsReloaded","subject":"CN=new"',
    ]);
  });

  it('are not talked about where nothing has changed', () => {
    const { start, logged } = startReload(new TlsFiles().write(selfSigned('old', 30)));
    start();
    expect(logged()).toBe('');
  });
});

describe('On SIGHUP a service without TLS', () => {
  it('tells that there is nothing to reload, and serves on', async () => {
    const service = startService({ LOG_FORMAT: 'json' });
    const client = await service.connect();
    service.process.kill('SIGHUP');
    await toldTimes(service, 'nothingToReload', 1);
    expect(await client.send('TIME\n').line()).toMatch(JAM);
    expect(told(service, 'nothingToReload')).toMatchObject([
      { level: 'info', msg: 'SIGHUP: tidak ada yang perlu dimuat ulang.' },
    ]);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});
