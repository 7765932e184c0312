/** With TLS, whoever still agrees on it is counted as those who have: the room is the same for both. */
import { once } from 'node:events';
import { join } from 'node:path';
import { duplexPair } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { LineServer, LineServerOptions } from '../../src/line-transport/index.js';
import { selfSigned } from '../support/certificates.js';
import {
  createLineApplication,
  type LineApplication,
  startLineApplication,
} from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { missing } from '../support/programs.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { EchoController } from './controllers.js';

const FULL = 'SERVER FULL. Try again later.\r\n';

function start(options: LineServerOptions = {}): Promise<LineApplication> {
  return startLineApplication([EchoController], {
    ...options,
    tls: { ...selfSigned(), handshakeTimeout: 120_000, ...options.tls },
  });
}

/** Connects, and says nothing. */
async function silent(port: number, localAddress: string): Promise<TestClient> {
  const client = await TestClient.connect({ host: '127.0.0.1', port, localAddress });
  client.socket.on('error', () => undefined);
  return client;
}

async function secured(port: number, localAddress = '127.0.0.1'): Promise<TestClient> {
  const place = { host: '127.0.0.1', port, localAddress, allowHalfOpen: true };
  const socket = connectTls(Object.assign(place, { rejectUnauthorized: false }));
  const client = TestClient.of(socket);
  await once(socket, 'secureConnect');
  return client;
}

async function ping(client: TestClient): Promise<string> {
  return client.send('PING\n').line();
}

/** Resolves when so many sockets have come to the server. */
async function arrived(server: LineServer, count: number): Promise<void> {
  await expect
    .poll(() => new Promise((resolve) => server.unwrap().getConnections((_, n) => resolve(n))))
    .toBe(count);
}

function refusals(server: LineServer): number {
  const { maxConnections, maxConnectionsPerAddress, tlsHandshake } =
    server.stats().connections.refused;
  return maxConnections + maxConnectionsPerAddress + tlsHandshake;
}

describe.skipIf(missing('openssl'))('Those who agree on TLS', () => {
  it('are counted for their address', async () => {
    const { port, server } = await start({ maxConnections: 10, maxConnectionsPerAddress: 2 });
    const hanging = [await silent(port, '127.0.0.2'), await silent(port, '127.0.0.2')];
    await arrived(server, 2);
    const beyond = await secured(port, '127.0.0.2');
    expect(await beyond.transcript()).toBe(FULL);
    beyond.end();
    expect(await ping(await secured(port, '127.0.0.3'))).toBe('PONG');
    expect(server.stats().connections).toMatchObject({
      open: 1,
      refused: { maxConnections: 0, maxConnectionsPerAddress: 1, tlsHandshake: 0 },
    });
    for (const client of hanging) client.reset();
    await expect.poll(() => server.stats().connections.refused.tlsHandshake).toBe(2);
    expect(await ping(await secured(port, '127.0.0.2'))).toBe('PONG');
  });

  it('are counted in all', async () => {
    const { port, server } = await start({ maxConnections: 2 });
    await silent(port, '127.0.0.2');
    await silent(port, '127.0.0.3');
    await arrived(server, 2);
    expect(await (await secured(port)).end().transcript()).toBe(FULL);
    expect(server.stats().connections).toMatchObject({ open: 0, refused: { maxConnections: 1 } });
  });

  it('are served if there is room when they have agreed', async () => {
    const { port, server } = await start({ maxConnections: 1 });
    const hanging = await silent(port, '127.0.0.2');
    await arrived(server, 1);
    const late = await TestClient.connect(port); // has no place yet
    await arrived(server, 2);
    hanging.reset();
    await arrived(server, 1);
    const socket = connectTls({ socket: late.socket, rejectUnauthorized: false });
    expect(await ping(TestClient.of(socket))).toBe('PONG');
    expect(server.stats().connections).toMatchObject({ open: 1, refused: { maxConnections: 0 } });
  });

  it('are refused at once when they end their side', async () => {
    const { port, server } = await start();
    for (const sent of [[], [0x16, 0x03, 0x01, 0x02, 0x00]]) {
      const client = await silent(port, '127.0.0.2');
      await client.send(Uint8Array.from(sent)).end().ended();
    }
    expect(server.stats().connections.refused.tlsHandshake).toBe(2);
  });

  it('are counted exactly when thousands were refused', { timeout: 120_000 }, async () => {
    const { port, server } = await start({ maxConnections: 20, maxConnectionsPerAddress: 10 });
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(
        Array.from({ length: 200 }, (_, index) => silent(port, `127.0.0.${2 + (index % 2)}`)),
      );
      for (const client of clients) client.reset();
      await expect.poll(() => refusals(server)).toBe(200 * (round + 1));
    }
    const served = [];
    for (let index = 0; index < 20; index++) {
      const client = await secured(port, `127.0.0.${2 + (index % 2)}`);
      expect(await ping(client)).toBe('PONG');
      served.push(client);
    }
    expect(await (await secured(port, '127.0.0.2')).end().transcript()).toBe(FULL);
    expect(server.stats().connections.open).toBe(20);
    for (const client of served) client.socket.destroy();
  });

  it('are cut also where they are accepted after the grace, however long they might agree', async () => {
    const { port, server } = await start({ shutdownGraceMs: 0 });
    const connecting = Array.from({ length: 200 }, () => silent(port, '127.0.0.1'));
    await connecting[0];
    await server.close(); // a handshake may take two minutes
    await expect.poll(() => server.stats().connections.arriving).toBe(0);
    for (const each of connecting) await (await each.catch(() => undefined))?.ended(); // some may come too late to be accepted
  });

  it('over a Unix domain socket have no address, are told apart by nothing, and take places all the same', async () => {
    const path = join(temporaryFolder(), 'socket');
    const { app, server } = await createLineApplication([EchoController], {
      path,
      maxConnections: 2,
      tls: selfSigned(),
    });
    await app.listen();
    const hanging = await TestClient.connect({ path });
    await expect.poll(() => server.stats().connections.arriving).toBe(1);
    const overSocket = (): TestClient =>
      TestClient.of(connectTls({ path, rejectUnauthorized: false }));
    const first = overSocket();
    expect(await ping(first)).toBe('PONG');
    const second = overSocket();
    expect(await ping(second)).toBe('PONG'); // who agrees is served before who does not
    const refused = overSocket();
    expect(await refused.transcript()).toBe(FULL);
    refused.end();
    expect(server.stats().connections).toMatchObject({
      open: 2,
      arriving: 0,
      refused: { maxConnections: 1, tlsHandshake: 0 },
    });
    hanging.end();
    await expect.poll(() => server.stats().connections.refused.tlsHandshake).toBe(1);
    second.end();
    await expect.poll(() => server.stats().connections.open).toBe(1);
    const last = await TestClient.connect({ path });
    await expect.poll(() => server.stats().connections.arriving).toBe(1);
    last.end();
    await expect.poll(() => server.stats().connections.arriving).toBe(0);
    first.end();
    await expect.poll(() => server.stats().connections.open).toBe(0);
  });
});

describe('A client that an application brings', () => {
  it('is counted for the address that it came with, whatever the application says of it later', async () => {
    const { server, connect } = await startLineApplication([EchoController], {
      maxConnectionsPerAddress: 1,
    });
    for (let round = 0; round < 5; round++) {
      const peer = { remoteAddress: '127.0.0.1' };
      const [client, stream] = duplexPair();
      const over = once(stream, 'close');
      server.serve(stream, peer);
      peer.remoteAddress = '192.0.2.7';
      expect(await (await connect()).end().transcript()).toBe(FULL);
      client.resume().end();
      await over;
    }
    expect(await ping(await connect())).toBe('PONG');
  });
});
