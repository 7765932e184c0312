/** With TLS passed through by a proxy: the PROXY header comes first, then the handshake. */
import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { Controller } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { describe, expect, it } from 'vitest';
import {
  Command,
  LineContext,
  type LineReply,
  LineServer,
  type LineServerOptions,
} from '../../src/line-transport/index.js';
import { selfSigned } from '../support/certificates.js';
import {
  type LineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { missing } from '../support/programs.js';
import {
  BINARY_HEADER,
  CLIENT,
  CLIENT_PORT,
  LOCAL_HEADER,
  textHeader,
} from '../support/proxy-header.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { EchoController } from './controllers.js';

@Controller()
class WhoController {
  @Command('WHO')
  who(@Ctx() { connection }: LineContext): LineReply {
    const { remoteAddress, remotePort, tls } = connection;
    return `${remoteAddress} ${remotePort} ${tls?.protocol}`;
  }
}

const KNOWN = `${CLIENT} ${CLIENT_PORT} TLSv1.3\r\n`;

function start(options: LineServerOptions = {}): Promise<LineApplication> {
  return startLineApplication([EchoController, WhoController], {
    proxyProtocolTrust: ['127.0.0.1'],
    ...options,
    tls: { ...selfSigned(), ...options.tls },
  });
}

async function opened(port: number): Promise<Socket> {
  const socket = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

/** Agrees on TLS behind what was written already. */
async function secured(socket: Duplex): Promise<TestClient> {
  const options = { socket, rejectUnauthorized: false };
  const tls = connectTls(Object.assign(options, { allowHalfOpen: true }));
  const client = TestClient.of(tls);
  await once(tls, 'secureConnect');
  return client;
}

describe.skipIf(missing('openssl'))('Behind a proxy that passes TLS through, a client', () => {
  it.each([
    ['version 1', Buffer.from(textHeader())],
    ['version 2', BINARY_HEADER],
  ])('is known by its header and its session: %s', async (_, header) => {
    const { port } = await start();
    const socket = await opened(port);
    socket.write(header);
    const client = await secured(socket);
    expect(await client.end('WHO\nPING\n').transcript()).toBe(`${KNOWN}PONG\r\n`);
  });

  it.each([BINARY_HEADER.length + 100, BINARY_HEADER.length - 1, 1, 100_000])(
    'is known by it if the header and the handshake come together, or are cut after %i bytes',
    async (cut) => {
      const { port } = await start();
      const socket = await opened(port);
      const [client, relayed] = duplexPair();
      relayed.once('data', (hello: Buffer) => {
        const begin = Buffer.concat([BINARY_HEADER, hello]);
        socket.write(begin.subarray(0, cut));
        setImmediate(() => {
          socket.write(begin.subarray(cut));
          relayed.pipe(socket).pipe(relayed);
        });
      });
      expect(await (await secured(client)).end('WHO\n').transcript()).toBe(KNOWN);
    },
  );

  it('is known by it if every byte of the header comes alone', async () => {
    const { port } = await start();
    const socket = await opened(port);
    for (const byte of BINARY_HEADER) {
      await new Promise((resolve) => socket.write(Uint8Array.of(byte), resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await (await secured(socket)).end('WHO\n').transcript()).toBe(KNOWN);
  });

  it('is not mistaken for another, however many there are at once', async () => {
    const { port } = await start();
    const told = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => {
        const socket = await opened(port);
        socket.write(textHeader(`198.51.100.${index}`));
        return (await secured(socket)).end('WHO\n').transcript();
      }),
    );
    expect(told).toEqual(
      Array.from({ length: 50 }, (_, index) => `198.51.100.${index} ${CLIENT_PORT} TLSv1.3\r\n`),
    );
  });

  it('says and is told much', async () => {
    const { port } = await start();
    const socket = await opened(port);
    socket.write(BINARY_HEADER);
    const client = await secured(socket);
    const count = 50_000;
    const told = await client.end('PING\n'.repeat(count)).transcript();
    expect(told).toBe('PONG\r\n'.repeat(count));
  });

  it('is counted for its own address while it agrees, and told that there is no room', async () => {
    const { port, server } = await start({ maxConnectionsPerAddress: 1 });
    const first = await opened(port);
    first.write(textHeader());
    await expect
      .poll(async () => {
        const socket = await opened(port);
        socket.write(textHeader());
        const client = await secured(socket);
        return client.end('PING\n').transcript();
      })
      .toBe('SERVER FULL. Try again later.\r\n');
    const other = await opened(port);
    other.write(textHeader('203.0.113.8'));
    expect(await (await secured(other)).end('PING\n').transcript()).toBe('PONG\r\n');
    expect(server.stats().connections.refused.maxConnectionsPerAddress).toBe(1);
    first.destroy();
  });

  it('is refused with its own address if it does not agree', async () => {
    const { port, server } = await start();
    const refused = nextEvent(server, 'refused');
    const socket = await opened(port);
    const client = TestClient.of(socket);
    socket.on('error', () => undefined);
    client.send(`${textHeader()}PING\n`);
    await client.ended();
    expect(client.received).not.toContain('PONG');
    expect(await refused).toEqual([
      expect.objectContaining({ remoteAddress: CLIENT, remotePort: CLIENT_PORT }),
      'tlsHandshake',
    ]);
  });

  it('is refused if its side ends in the middle of the handshake', async () => {
    const { port, server } = await start();
    const refused = nextEvent(server, 'refused');
    const socket = await opened(port);
    const client = TestClient.of(socket);
    socket.on('error', () => undefined);
    socket.end(Buffer.concat([BINARY_HEADER, Buffer.of(0x16, 0x03, 0x01, 0x02, 0x00)]));
    await client.ended();
    expect((await refused)[1]).toBe('tlsHandshake');
  });

  it('is no client but a health check, if the proxy says so', async () => {
    const { port, server } = await start();
    const refused = nextEvent(server, 'refused');
    const socket = await opened(port);
    const { localPort } = socket;
    socket.end(LOCAL_HEADER).resume();
    const [peer, reason] = await refused;
    expect(reason).toBe('tlsHandshake');
    expect(peer).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: localPort });
  });

  it('cannot come over a Unix domain socket: nothing would tell one from another', async () => {
    const path = join(temporaryFolder(), 'socket');
    const server = new LineServer({
      path,
      proxyProtocolTrust: ['127.0.0.1'],
      tls: selfSigned(),
    });
    const fault = await new Promise((resolve) => server.listen(resolve));
    expect(fault).toMatchObject({
      code: 'ERR_LINE_LISTEN',
      message: expect.stringContaining('leave TLS to the proxy'),
    });
    expect(() => server.unwrap()).toThrow('does not listen');
  });
});
