/** The certificate of a server that runs is replaced: who comes from then on sees the new one. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  connect as connectTls,
  createSecureContext,
  type ConnectionOptions,
  type TLSSocket,
} from 'node:tls';
import { describe, expect, it } from 'vitest';
import { LineServer, type LineServerOptions } from '../../src/line-transport/index.js';
import { type Certificate, selfSigned } from '../support/certificates.js';
import { type LineApplication, startLineApplication } from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { missing } from '../support/programs.js';
import { EchoController } from './controllers.js';

function start(tls: LineServerOptions['tls']): Promise<LineApplication> {
  return startLineApplication([EchoController], { tls });
}

/** Connects as one who trusts this certificate alone. */
async function trusting(
  { cert }: Certificate,
  port: number,
  options: ConnectionOptions = {},
): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: cert, ...options });
  await once(socket, 'secureConnect');
  return socket;
}

async function expectServed(socket: TLSSocket): Promise<void> {
  expect(await TestClient.of(socket).send('PING\n').line()).toBe('PONG');
}

/** What a server says of options that it refuses. */
function refusalOf(server: LineServer, tls: unknown): unknown {
  try {
    server.setTls(tls as never);
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.skipIf(missing('openssl'))('A server whose TLS options are replaced', () => {
  it('shows the new certificate to who comes, and goes on with who is there', async () => {
    const [old, next] = [selfSigned(), selfSigned()];
    const { port, server } = await start(old);
    const before = TestClient.of(await trusting(old, port));
    before.send('PING\n');
    expect(await before.line()).toBe('PONG');
    server.setTls(next);
    await expectServed(await trusting(next, port));
    await expect(trusting(old, port)).rejects.toMatchObject({ code: /CERT/ });
    before.send('NEXT\n');
    expect(await before.line()).toBe('1');
  });

  it('resumes no session of the old one', async () => {
    const [old, next] = [selfSigned(), selfSigned()];
    const { port, server } = await start(old);
    const first = await trusting(old, port);
    const [session] = (await once(first, 'session')) as [Buffer];
    const again = await trusting(old, port, { session });
    expect(again.isSessionReused()).toBe(true);
    server.setTls(next);
    const after = await trusting(next, port, { session });
    expect(after.isSessionReused()).toBe(false);
    await expectServed(after);
  });

  it('trusts other clients from then on', async () => {
    const [own, friend, stranger] = [selfSigned(), selfSigned('friend'), selfSigned('stranger')];
    const lasting = { ...own, requestCert: true, rejectUnauthorized: true };
    const { port, server } = await start({ ...lasting, ca: friend.cert });
    await expectServed(await trusting(own, port, friend));
    server.setTls({ ...lasting, ca: stranger.cert });
    await expectServed(await trusting(own, port, stranger));
    const refused = await trusting(own, port, friend); // TLS 1.3 tells it only afterwards
    refused.on('error', () => undefined);
    const client = TestClient.of(refused);
    await client.send('PING\n').ended();
    expect(client.received).toBe('');
  });

  it('may ask for a later version of TLS', async () => {
    const own = selfSigned();
    const { port, server } = await start(own);
    await expectServed(await trusting(own, port, { maxVersion: 'TLSv1.2' }));
    server.setTls({ ...own, minVersion: 'TLSv1.3' });
    await expect(trusting(own, port, { maxVersion: 'TLSv1.2' })).rejects.toThrow(
      /protocol version/,
    );
    await expectServed(await trusting(own, port));
  });

  it('keeps the old ones if the new ones are refused', async () => {
    const [own, other] = [selfSigned(), selfSigned()];
    const { port, server } = await start(own);
    const options = 'ERR_LINE_OPTIONS';
    for (const [tls, words] of [
      [{ key: 'no key', cert: 'no certificate' }, /The tls options are refused: .*PEM/],
      [{ key: own.key, cert: other.cert }, /refused: .*key values mismatch/],
      [{ ...own, minVersion: 'TLSv9' }, /refused: .*TLSv9/],
      [{ minVersion: 'TLSv1.3' }, /tls must have a key and a cert/],
      [{ key: own.key }, /tls must have a key and a cert/],
      [{ secureContext: createSecureContext(other) }, /tls must have a key and a cert/],
      [undefined, /tls must have a key and a cert/],
      [{ ...other, requestCert: true }, /cannot change tls\.requestCert while it runs/],
      [{ ...other, pskIdentityHint: 'x' }, /cannot change tls\.pskIdentityHint while it runs/],
      [{ ...other, handshakeTimeout: 5 }, /cannot change tls\.handshakeTimeout while it runs/],
    ] as const) {
      expect(refusalOf(server, tls)).toMatchObject({
        code: options,
        message: expect.stringMatching(words),
      });
      await expectServed(await trusting(own, port));
    }
  });

  it('does not forget to ask for certificates because nobody says so again', async () => {
    const own = selfSigned();
    const { server } = await start({ ...own, requestCert: true, ca: own.cert });
    expect(refusalOf(server, own)).toMatchObject({
      message: expect.stringContaining('requestCert'),
    });
  });

  it('may say what goes without saying', async () => {
    const [old, next] = [selfSigned(), selfSigned()];
    const { port, server } = await start(old);
    server.setTls({ ...next, requestCert: false, rejectUnauthorized: true });
    expect(server.options.tls).toMatchObject(next);
    await expectServed(await trusting(next, port));
  });

  it('keeps the new ones when it listens again, or for the first time', async () => {
    const [old, next] = [selfSigned(), selfSigned()];
    const server = new LineServer({ host: '127.0.0.1', tls: old });
    server.addHandler('PING', () => Promise.resolve('PONG'));
    server.setTls(next);
    for (let round = 0; round < 2; round++) {
      const { port } = await new Promise<AddressInfo>((resolve) => {
        server.listen((_, address) => resolve(address as AddressInfo));
      });
      const socket = await trusting(next, port);
      await expectServed(socket);
      socket.end();
      await server.close();
    }
  });
});

describe('A server that was made without TLS', () => {
  it('cannot be made to speak it', async () => {
    const { server, connect } = await startLineApplication([EchoController]);
    expect(refusalOf(server, { key: '', cert: '' })).toMatchObject({
      code: 'ERR_LINE_OPTIONS',
      message: 'The line server speaks no TLS: it has to be made with the option tls.',
    });
    expect(await (await connect()).end('PING\n').transcript()).toBe('PONG\r\n');
  });
});
