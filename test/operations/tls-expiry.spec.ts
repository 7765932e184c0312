/** What is said of a certificate whose time is over, or has not begun. */
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { missing } from '../support/programs.js';
import { selfSigned } from '../support/certificates.js';
import { TlsFiles } from '../support/tls-service.js';
import { readSettings } from '../../src/operations/config/settings.js';
import { createLog } from '../../src/operations/logging/log.js';
import { TlsCertificate } from '../../src/operations/tls/tls-certificate.js';
import { TlsExpiry } from '../../src/operations/tls/tls-expiry.js';

const DAY_MS = 86_400_000;

/** The events that are logged about a certificate of 30 days. */
function startExpiry(): {
  expiry: TlsExpiry;
  certificate: TlsCertificate;
  logged: () => unknown[];
} {
  const given = readSettings({
    ...new TlsFiles().write(selfSigned('x', 30)).settings,
    LOCALE: 'en',
  });
  const output = new PassThrough({ encoding: 'utf8' });
  const log = createLog({ level: 'info', format: 'json' }, output);
  const certificate = new TlsCertificate(given);
  return {
    certificate,
    expiry: new TlsExpiry(certificate, log, given),
    logged: () =>
      String(output.read() ?? '')
        .split('\n')
        .filter((line) => line !== '')
        .map((line): unknown => JSON.parse(line)),
  };
}

describe.skipIf(missing('openssl'))('A certificate', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is warned of every day from the last fortnight on, and not before', () => {
    const { expiry, certificate, logged } = startExpiry();
    vi.setSystemTime(certificate.validFrom.getTime() + DAY_MS / 2);
    expiry.onApplicationBootstrap();
    vi.advanceTimersByTime(15 * DAY_MS);
    expect(logged()).toEqual([]);
    vi.advanceTimersByTime(3 * DAY_MS);
    const validTo = certificate.validTo.toISOString();
    const warning = {
      level: 'warn',
      event: 'tlsCertificateExpires',
      subject: 'CN=x',
      validTo,
      msg: `The TLS certificate CN=x is valid only to ${validTo}.`,
    };
    expect(logged()).toMatchObject([warning, warning, warning]);
    expiry.onApplicationShutdown();
    vi.advanceTimersByTime(3 * DAY_MS);
    expect(logged()).toEqual([]);
  });

  it('is warned of when it has expired', () => {
    const { expiry, logged } = startExpiry();
    vi.setSystemTime(Date.now() + 40 * DAY_MS);
    expiry.onApplicationBootstrap();
    expiry.onApplicationShutdown();
    expect(logged()).toMatchObject([{ event: 'tlsCertificateExpires' }]);
  });

  it('is warned of when it is not valid yet', () => {
    const { expiry, certificate, logged } = startExpiry();
    vi.setSystemTime(certificate.validFrom.getTime() - DAY_MS);
    expiry.look();
    expect(logged()).toMatchObject([
      { level: 'warn', event: 'tlsCertificateNotYetValid', validFrom: expect.any(String) },
    ]);
    vi.setSystemTime(certificate.validFrom);
    expiry.look();
    expect(logged()).toEqual([]);
  });
});
