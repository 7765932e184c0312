/** Workers speak TLS as a single process does, and SIGHUP brings them a new certificate. */
import { describe, expect, it, vi } from 'vitest';
import { selfSigned } from '../support/certificates.js';
import { connectTls, shownName, startTlsService, TlsFiles } from '../support/tls-service.js';
import { untilLogged } from '../support/workers.js';

vi.setConfig({ testTimeout: 90_000 });

describe('Several workers with TLS', () => {
  it('serve, and show the new certificate after SIGHUP; a broken one is not taken up', async () => {
    const files = new TlsFiles().write(selfSigned('first'));
    const service = startTlsService(files, { WORKERS: '2', SHUTDOWN_GRACE_MS: '1000' });
    await untilLogged(service, '"event":"workerReady"', 2);
    const clients = await Promise.all(Array.from({ length: 6 }, () => connectTls(service)));
    for (const client of clients) {
      client.send('TIME\r\nQUIT\r\n');
      expect(await client.transcript()).toMatch(/^JAM .{8}\r\n$/);
      client.end();
    }
    files.write(selfSigned('second'));
    service.process.kill('SIGHUP');
    await untilLogged(service, '"event":"restartFinished"', 1);
    expect([await shownName(service), await shownName(service)]).toEqual(['second', 'second']);
    files.write({ key: Buffer.from('no key'), cert: Buffer.from('no certificate') });
    service.process.kill('SIGHUP');
    await untilLogged(service, '"event":"restartFailed"', 1);
    expect([await shownName(service), await shownName(service)]).toEqual(['second', 'second']);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});
