/** A server that speaks TLS: the same conversations, and what is known of who has them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect as connectTls, type ConnectionOptions, TLSSocket } from 'node:tls';
import { Controller } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Command,
  type LineConnection,
  LineContext,
  type LineReply,
  LineServer,
  type LineServerOptions,
  type Peer,
  type TlsFacts,
} from '../../src/line-transport/index.js';
import { type Certificate, selfSigned } from '../support/certificates.js';
import {
  createLineApplication,
  type LineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { missing } from '../support/programs.js';
import { lineClient } from '../support/raw-server.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { EchoController, Gate } from './controllers.js';

@Controller()
class FactsController {
  last: TlsFacts | undefined;

  @Command('FACTS')
  facts(@Ctx() { connection }: LineContext): LineReply {
    this.last = connection.tls;
    return connection.tls === undefined ? 'none' : 'some';
  }
}

interface TlsApplication extends LineApplication {
  readonly certificate: Certificate;
  /** Connects with TLS; the client's own side stays open when the server ends its side. */
  readonly connectTls: (options?: ConnectionOptions) => Promise<TestClient>;
  /** What the server knows of a client that connects with these options. */
  readonly factsOf: (options?: ConnectionOptions) => Promise<TlsFacts | undefined>;
}

async function startTls(options: LineServerOptions = {}): Promise<TlsApplication> {
  const certificate = selfSigned();
  const tls = { ...certificate, ...options.tls };
  const application = await startLineApplication([EchoController, FactsController], {
    ...options,
    tls,
  });
  const { app, port } = application;
  const connectTlsClient = async (given: ConnectionOptions = {}): Promise<TestClient> => {
    const trusting = { host: '127.0.0.1', port, ca: certificate.cert, allowHalfOpen: true };
    const socket = connectTls(Object.assign(trusting, given));
    const client = TestClient.of(socket);
    await once(socket, 'secureConnect');
    return client;
  };
  return {
    ...application,
    certificate,
    connectTls: connectTlsClient,
    factsOf: async (given) => {
      const client = await connectTlsClient(given);
      expect(await client.end('FACTS\n').transcript()).toBe('some\r\n');
      return app.get(FactsController).last;
    },
  };
}

describe.skipIf(missing('openssl'))('A server with TLS', () => {
  it('answers openssl s_client, which trusts its certificate', async () => {
    const { port, certificate } = await startTls();
    const trusted = join(temporaryFolder(), 'trusted.pem');
    writeFileSync(trusted, certificate.cert);
    const child = spawn('openssl', [
      's_client',
      '-connect',
      `127.0.0.1:${port}`,
      '-quiet',
      '-verify_return_error',
      '-verify_hostname',
      'localhost',
      '-CAfile',
      trusted,
    ]);
    onTestFinished(() => {
      child.kill();
    });
    child.stdin.write('PING\nNEXT\nNOPE\nQUIT\n');
    const told = await text(child.stdout);
    expect(told.split('\r\n')).toEqual([
      'PONG',
      '1',
      'UNKNOWN COMMAND. Use PING, NEXT, SLOW, QUIT, BYE or FACTS.',
      '',
    ]);
  });

  it("answers Node's own client in order, whatever is slow", async () => {
    const { connectTls: connect } = await startTls();
    const client = await connect();
    client.send('NEXT\nSLOW\nNEXT\n');
    expect(await client.lines(3)).toEqual(['1', 'SLOW', '2']);
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
    expect(client.error).toBeUndefined();
  });

  it('answers a LineClient', async () => {
    const { port, certificate } = await startTls({ greeting: 'READY' });
    const client = lineClient({ host: 'localhost', port, tls: { ca: certificate.cert } });
    const plain = lineClient({ port, tls: false, connectTimeoutMs: 500, requestTimeoutMs: 500 });
    const unsolicited = new Promise((resolve) => client.on('unsolicited', resolve));
    await client.connect();
    expect(await unsolicited).toBe('READY');
    expect(await firstValueFrom(client.send('PING', ''))).toBe('PONG');
    expect(client.unwrap()).toBeInstanceOf(TLSSocket);
    await expect(firstValueFrom(plain.send('PING', ''))).rejects.toMatchObject({
      code: 'ERR_LINE_CLOSED',
    });
  });

  it('gives a client that closed its side every reply before it closes its own', async () => {
    const { connectTls: connect, server } = await startTls();
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    const transcript = await client.end(`${'SLOW\n'.repeat(50)}NEXT`).transcript();
    expect(transcript).toBe(`${'SLOW\r\n'.repeat(50)}1\r\n`);
    expect((await over)[1]).toBe('client');
  });

  it('says much, no faster than it is read', async () => {
    const { connectTls: connect } = await startTls();
    const client = await connect();
    client.socket.pause();
    client.end(`${'NEXT\n'.repeat(50_000)}QUIT\n`);
    client.socket.resume();
    const lines = (await client.transcript()).split('\r\n');
    expect(lines.pop()).toBe('');
    expect(lines).toEqual(Array.from({ length: 50_000 }, (_, index) => String(index + 1)));
  });

  it('is a tls.Server underneath', async () => {
    const { server } = await startTls();
    expect(server.unwrap().constructor.name).toBe('Server');
    expect(server.unwrap()).toHaveProperty('setSecureContext');
  });

  it('closes in order: what was asked is answered and delivered first', async () => {
    const { connectTls: connect, server } = await startTls({ shutdownGraceMs: 10_000 });
    const gate = new Gate();
    server.addHandler('HELD', () => gate.pass().then(() => 'at last'));
    const asked = nextEvent(server, 'request');
    const cut = nextEvent(server, 'closed');
    const [client, idle] = [await connect(), await connect()];
    client.send('HELD\nPING\n');
    await asked;
    const closed = server.close();
    expect(await idle.transcript()).toBe('');
    idle.end();
    gate.open();
    expect(await client.transcript()).toBe('at last\r\nPONG\r\n');
    client.end();
    await closed;
    expect(await cut).toEqual([0]);
  });

  it('tells those it has no room for, within TLS', async () => {
    const { connectTls: connect, server } = await startTls({ maxConnections: 1 });
    const first = await connect();
    first.send('PING\n');
    expect(await first.line()).toBe('PONG');
    const refused = nextEvent(server, 'refused');
    const second = await connect();
    second.send('PING\n');
    expect(await second.transcript()).toBe('SERVER FULL. Try again later.\r\n');
    second.end();
    expect((await refused)[1]).toBe('maxConnections');
    const closed = once(first.socket, 'close');
    expect(await first.end('PING\n').transcript()).toBe('PONG\r\n');
    await closed;
    const third = await connect();
    expect(await third.end('PING\n').transcript()).toBe('PONG\r\n');
    expect(server.stats().connections).toMatchObject({
      accepted: 2,
      refused: { maxConnections: 1, tlsHandshake: 0 },
    });
  });
});

describe.skipIf(missing('openssl'))('A client who does not agree on TLS', () => {
  it('because it speaks plain TCP is refused, counted and told nothing in plain text', async () => {
    const { connect, connectTls: connectWell, server } = await startTls();
    const refused = nextEvent(server, 'refused');
    const client = await connect();
    client.socket.on('error', () => undefined);
    const { localPort } = client.socket;
    client.send('PING\n');
    await client.ended();
    expect(client.received).not.toContain('PONG');
    const [peer, reason] = (await refused) as [Peer, string];
    expect(reason).toBe('tlsHandshake');
    expect(peer).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: localPort });
    expect(peer.tls).toBeUndefined();
    expect(server.stats().connections).toMatchObject({
      open: 0,
      accepted: 0,
      refused: { maxConnections: 0, tlsHandshake: 1 },
    });
    expect(await (await connectWell()).end('PING\n').transcript()).toBe('PONG\r\n');
  });

  it('because it hangs is refused after the time to shake hands, and named', async () => {
    const { connect, server } = await startTls({ tls: { handshakeTimeout: 50 } });
    const refused = nextEvent(server, 'refused');
    const client = await connect();
    const { localPort } = client.socket;
    await client.ended();
    expect(await refused).toEqual([
      expect.objectContaining({ remoteAddress: '127.0.0.1', remotePort: localPort }),
      'tlsHandshake',
    ]);
    expect(server.stats().connections.refused.tlsHandshake).toBe(1);
  });

  it.each(['FIN', 'RST'])(
    'because it leaves with a %s is refused, and nobody is harmed',
    async (how) => {
      const {
        connect,
        connectTls: connectWell,
        server,
      } = await startTls({
        tls: { handshakeTimeout: 200 },
      });
      const refused = nextEvent(server, 'refused');
      const accepted = once(server.unwrap(), 'connection');
      const client = await connect();
      await accepted;
      client.send(Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00));
      if (how === 'FIN') client.end();
      else client.reset();
      expect((await refused)[1]).toBe('tlsHandshake');
      expect(await (await connectWell()).end('PING\n').transcript()).toBe('PONG\r\n');
    },
  );

  it('because it hangs is cut by a server that closes, within the grace', async () => {
    const { connect, server, port } = await startTls({
      shutdownGraceMs: 50,
      tls: { handshakeTimeout: 120_000 },
    });
    const accepted = once(server.unwrap(), 'connection');
    const client = await connect();
    await accepted;
    const started = performance.now();
    await server.close();
    expect(performance.now() - started).toBeLessThan(5_000);
    await client.ended();
    const [error] = await once(connectSocket(port, '127.0.0.1'), 'error');
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('and holds more sockets than a full server has places for those who agree is refused', async () => {
    const {
      connect,
      connectTls: connectWell,
      server,
    } = await startTls({ maxConnections: 1, tls: { handshakeTimeout: 120_000 } });
    const first = await connectWell();
    first.send('PING\n');
    expect(await first.line()).toBe('PONG');
    const peers: Peer[] = [];
    const settled = new Promise<void>((resolve) => {
      server.on('refused', (peer) => {
        if (peers.push(peer) === 200) resolve();
      });
    });
    const silent = await Promise.all(Array.from({ length: 300 }, connect));
    await settled;
    expect(peers[0]).toMatchObject({
      remoteAddress: '127.0.0.1',
      remotePort: silent[100]?.socket.localPort,
    });
    expect(peers[0]?.tls).toBeUndefined();
    await Promise.all(silent.slice(100).map((client) => client.ended()));
    const held = await new Promise((resolve) =>
      server.unwrap().getConnections((_, count) => resolve(count)),
    );
    expect(held).toBe(101);
    expect(server.stats().connections).toMatchObject({
      open: 1,
      refused: { maxConnections: 200, tlsHandshake: 0 },
    });
    expect(await first.end('PING\n').transcript()).toBe('PONG\r\n');
    for (const client of silent) client.reset();
    await expect.poll(() => server.stats().connections.refused.tlsHandshake).toBe(100);
    expect(await (await connectWell()).end('PING\n').transcript()).toBe('PONG\r\n');
  });

  it('because it shows no certificate where one is needed is refused', async () => {
    const friend = selfSigned('friend');
    const { connectTls: connect, server } = await startTls({
      tls: { requestCert: true, rejectUnauthorized: true, ca: friend.cert },
    });
    for (const given of [{}, selfSigned('stranger')]) {
      const client = await connect(given).catch(() => undefined); // TLS 1.3 tells it only afterwards
      await client?.send('PING\n').ended();
      expect(client?.received ?? '').toBe('');
    }
    expect(server.stats().connections).toMatchObject({
      accepted: 0,
      refused: { tlsHandshake: 2 },
    });
    const client = await connect(friend);
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
  });
});

describe.skipIf(missing('openssl'))('What is known of a client with TLS', () => {
  it('is the protocol, the cipher and the name it asked for', async () => {
    const { factsOf } = await startTls();
    expect(await factsOf({ servername: 'localhost' })).toEqual({
      protocol: 'TLSv1.3',
      cipher: expect.stringMatching(/^TLS_/),
      servername: 'localhost',
      authorized: false,
      certificate: undefined,
    });
    expect(await factsOf({ maxVersion: 'TLSv1.2' })).toMatchObject({
      protocol: 'TLSv1.2',
      cipher: expect.stringMatching(/^TLS_ECDHE_ECDSA_WITH_/),
      servername: undefined,
    });
  });

  it('is its certificate, and whether it is trusted', async () => {
    const [friend, stranger] = [selfSigned('friend'), selfSigned('stranger')];
    const { factsOf } = await startTls({
      tls: { requestCert: true, rejectUnauthorized: false, ca: friend.cert },
    });
    expect(await factsOf(friend)).toMatchObject({
      authorized: true,
      certificate: { subject: { CN: 'friend' } },
    });
    expect(await factsOf(stranger)).toMatchObject({
      authorized: false,
      certificate: { subject: { CN: 'stranger' } },
    });
    expect(await factsOf()).toMatchObject({ authorized: false, certificate: undefined });
  });

  it('is remembered when it has gone', async () => {
    const friend = selfSigned('friend');
    const { connectTls: connect, server } = await startTls({
      tls: { requestCert: true, ca: friend.cert },
    });
    const over = nextEvent(server, 'disconnection');
    const closed: Promise<unknown>[] = [];
    server.unwrap().on('secureConnection', (socket) => closed.push(once(socket, 'close')));
    const client = await connect({ ...friend, servername: 'localhost' });
    client.send('PING\n');
    expect(await client.line()).toBe('PONG');
    client.socket.destroy();
    const [connection] = (await over) as [LineConnection];
    await Promise.all(closed);
    expect(connection.tls).toMatchObject({
      protocol: 'TLSv1.3',
      servername: 'localhost',
      authorized: true,
      certificate: { subject: { CN: 'friend' } },
    });
    expect(connection.remoteAddress).toBe('127.0.0.1');
  });
});

describe('A server without TLS', () => {
  it('knows nothing of it', async () => {
    const { connect } = await startLineApplication([FactsController]);
    expect(await (await connect()).end('FACTS\n').transcript()).toBe('none\r\n');
  });
});

describe('A server whose key material is wrong does not listen, and says why', () => {
  async function fault(tls: LineServerOptions['tls']): Promise<unknown> {
    const { app } = await createLineApplication([EchoController], { host: '127.0.0.1', tls });
    return app.listen().catch((error: unknown) => error);
  }

  it('if it is none', async () => {
    expect(await fault({ key: 'no key', cert: 'no certificate' })).toMatchObject({
      code: 'ERR_LINE_LISTEN',
      message: expect.stringMatching(/^The tls options are refused: .*PEM/),
      cause: expect.any(Error),
    });
  });

  it.skipIf(missing('openssl'))('if the key is not that of the certificate', async () => {
    const { key } = selfSigned();
    const { cert } = selfSigned();
    expect(await fault({ key, cert })).toMatchObject({
      code: 'ERR_LINE_LISTEN',
      message: expect.stringMatching(/^The tls options are refused: .*key values mismatch/),
    });
  });

  it('if an option has a value that it cannot have', async () => {
    expect(await fault({ pfx: '', minVersion: 'TLSv9' as never })).toMatchObject({
      code: 'ERR_LINE_LISTEN',
      message: expect.stringMatching(/^The tls options are refused: .*TLSv9/),
    });
  });

  it.each(['key.pem', {}, { minVersion: 'TLSv1.3' }, { key: undefined, cert: undefined }])(
    'and is not even made with %j, which has no key',
    (tls) => {
      expect(() => new LineServer({ tls: tls as never })).toThrow(
        expect.objectContaining({
          code: 'ERR_LINE_OPTIONS',
          message: expect.stringContaining('tls must have a key and a cert, or a pfx'),
        }),
      );
    },
  );
});
