/** A client that speaks TLS. */
import type { AddressInfo } from 'node:net';
import { createServer, TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Certificate, selfSigned } from '../support/certificates.js';
import { missing } from '../support/programs.js';
import { lineClient, RawServer } from '../support/raw-server.js';

/** Answers every line with the name the client asked for. */
async function startTlsServer(certificate: Certificate): Promise<number> {
  const server = createServer(certificate, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(`${String(socket.servername)}\r\n`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  );
  return (server.address() as AddressInfo).port;
}

describe.skipIf(missing('openssl'))('A client with TLS', () => {
  it('asks a server whose certificate it is told to trust, by its name', async () => {
    const certificate = selfSigned();
    const port = await startTlsServer(certificate);
    const client = lineClient({ host: 'localhost', port, tls: { ca: certificate.cert } });
    expect(await firstValueFrom(client.send('NAME', ''))).toBe('localhost');
    expect(client.unwrap()).toBeInstanceOf(TLSSocket);
    await client.close();
  });

  it('asks by an address without naming it', async () => {
    const certificate = selfSigned();
    const port = await startTlsServer(certificate);
    const client = lineClient({ host: '127.0.0.1', port, tls: { ca: certificate.cert } });
    expect(await firstValueFrom(client.send('NAME', ''))).toBe('false');
    await client.close();
  });

  it('does not talk to a server that nobody vouches for', async () => {
    const port = await startTlsServer(selfSigned());
    const client = lineClient({ host: 'localhost', port, tls: true });
    await expect(client.connect()).rejects.toMatchObject({
      code: 'ERR_LINE_CONNECT',
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
  });
});

describe('A client with TLS', () => {
  it('says so if the server does not speak it', async () => {
    const server = await RawServer.listen();
    const client = lineClient({ port: server.port, tls: true });
    const connecting = client.connect().catch((error: unknown) => error);
    (await server.accept()).send('220 ready\r\n');
    expect(await connecting).toMatchObject({ code: 'ERR_LINE_CONNECT' });
  });

  it('says so if the server closes at once', async () => {
    const server = await RawServer.listen();
    const client = lineClient({ port: server.port, tls: true });
    const connecting = client.connect().catch((error: unknown) => error);
    (await server.accept()).end();
    expect(await connecting).toMatchObject({ code: 'ERR_LINE_CONNECT' });
  });

  it('says so if its own certificate is none, as with any other connection that cannot be', async () => {
    const client = lineClient({ port: 7, tls: { cert: 'no certificate', key: 'no key' } });
    await expect(client.connect()).rejects.toMatchObject({
      code: 'ERR_LINE_CONNECT',
      message: expect.stringMatching(
        /^Cannot connect to port 7 of 127\.0\.0\.1: the options are refused: .*PEM/,
      ),
    });
  });
});
