/** Behind a trusted proxy, a client is known by the address of its PROXY header. */
import { once } from 'node:events';
import { join } from 'node:path';
import { Controller } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { describe, expect, it } from 'vitest';
import {
  Command,
  LineContext,
  type LineReply,
  type LineServerOptions,
  type Peer,
} from '../../src/line-transport/index.js';
import {
  createLineApplication,
  type LineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
import { sendAndCut } from '../support/cut-client.js';
import { TestClient } from '../support/line-client.js';
import { missing } from '../support/programs.js';
import {
  BINARY_HEADER,
  binaryHeader,
  CAME_TO,
  CAME_TO_PORT,
  CLIENT,
  CLIENT_PORT,
  LOCAL_HEADER,
  textHeader,
} from '../support/proxy-header.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { EchoController, Gate } from './controllers.js';

const FULL = 'SERVER FULL. Try again later.\r\n';

@Controller()
class WhoController {
  @Command('WHO')
  who(@Ctx() { connection }: LineContext): LineReply {
    const { remoteAddress, remotePort, localAddress, localPort } = connection;
    return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
  }
}

function start(options: LineServerOptions = {}): Promise<LineApplication> {
  return startLineApplication([EchoController, WhoController], {
    proxyProtocolTrust: ['127.0.0.1'],
    ...options,
  });
}

/** What was refused, as it is refused. */
function refusalsOf({ server }: LineApplication): [address: string | undefined, reason: string][] {
  const refusals: [string | undefined, string][] = [];
  server.on('refused', ({ remoteAddress }, reason) => refusals.push([remoteAddress, reason]));
  return refusals;
}

/** The client is closed, and told nothing. */
async function expectClosed(client: TestClient): Promise<void> {
  client.socket.on('error', () => undefined);
  await client.ended();
  expect(client.received).toBe('');
}

describe('Behind a proxy, a client', () => {
  it.each([
    ['version 1', textHeader(), CLIENT],
    ['version 1, IPv6', textHeader('2001:db8::7'), '2001:db8::7'],
    ['version 1, IPv4 as IPv6 writes it', textHeader('::ffff:203.0.113.7'), CLIENT],
    ['version 2', BINARY_HEADER, CLIENT],
  ])('has the addresses of its header: %s', async (_, header, address) => {
    const { connect, server } = await start();
    const accepted = nextEvent(server, 'connection');
    const client = await connect();
    client.send(header);
    const [connection] = await accepted;
    expect(connection).toMatchObject({ remoteAddress: address, remotePort: CLIENT_PORT });
    const said = await client.end('WHO\n').transcript();
    expect(said).toMatch(new RegExp(`^${address} ${CLIENT_PORT} \\S+ ${CAME_TO_PORT}\r\n$`));
  });

  it('is told where it came to', async () => {
    const { connect } = await start();
    const client = (await connect()).send(BINARY_HEADER);
    expect(await client.end('WHO\n').transcript()).toBe(
      `${CLIENT} ${CLIENT_PORT} ${CAME_TO} ${CAME_TO_PORT}\r\n`,
    );
  });

  it.each([
    ['version 1', Buffer.from(textHeader())],
    ['version 2', BINARY_HEADER],
  ])('is served wherever its bytes are cut: %s', async (_, header) => {
    const { connect } = await start();
    const said = Buffer.concat([header, Buffer.from('WHO\nPING\n')]);
    for (let cut = 1; cut <= said.length; cut++) {
      const client = await connect();
      client.socket.setNoDelay(true);
      await new Promise((resolve) => client.socket.write(said.subarray(0, cut), resolve));
      const told = await client.send(said.subarray(cut)).end().transcript();
      expect(told).toBe(`${CLIENT} ${CLIENT_PORT} ${CAME_TO} ${CAME_TO_PORT}\r\nPONG\r\n`);
    }
  });

  it('is served if its bytes come one by one', async () => {
    const { connect } = await start();
    const client = await connect();
    client.socket.setNoDelay(true);
    for (const byte of `${textHeader()}PING\n`) {
      await new Promise((resolve) => client.socket.write(byte, resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await client.line()).toBe('PONG');
  });

  it('is answered everything that it sends behind the header at once', async () => {
    const { connect } = await start();
    const client = await connect();
    const lines = 50_000;
    const told = await client.end(`${textHeader()}${'PING\n'.repeat(lines)}`).transcript();
    expect(told).toBe('PONG\r\n'.repeat(lines));
  });

  it.each([
    ['version 1, UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n')],
    ['version 2, LOCAL', LOCAL_HEADER],
    ['version 2, a Unix domain socket', binaryHeader(0x21, 0x31, Buffer.alloc(216))],
  ])('is known by the address of the proxy where the header has none: %s', async (_, header) => {
    const { connect, port } = await start();
    const client = (await connect()).send(header);
    const { localPort } = client.socket;
    expect(await client.end('WHO\n').transcript()).toBe(
      `127.0.0.1 ${localPort} 127.0.0.1 ${port}\r\n`,
    );
  });

  it('is counted for its own address, and the proxy for none', async () => {
    const application = await start({ maxConnections: 10, maxConnectionsPerAddress: 1 });
    const { connect, server } = application;
    const refusals = refusalsOf(application);
    const first = (await connect()).send(`${textHeader()}PING\n`);
    expect(await first.line()).toBe('PONG');
    const second = (await connect()).send(textHeader());
    expect(await second.transcript()).toBe(FULL);
    const other = (await connect()).send(`${textHeader('203.0.113.8')}PING\n`);
    expect(await other.line()).toBe('PONG');
    expect(refusals).toEqual([[CLIENT, 'maxConnectionsPerAddress']]);
    expect(server.stats().connections.open).toBe(2);
  });

  it('is told that the server is full, if it is', async () => {
    const application = await start({ maxConnections: 1 });
    const { connect } = application;
    const refusals = refusalsOf(application);
    const first = (await connect()).send(`${textHeader()}PING\n`);
    expect(await first.line()).toBe('PONG');
    const second = (await connect()).send(`${textHeader('203.0.113.8')}PING\n`);
    expect(await second.transcript()).toBe(FULL);
    expect(refusals).toEqual([['203.0.113.8', 'maxConnections']]);
  });

  it('is judged by its own address, not by that of the proxy', async () => {
    const application = await start({ denyAddresses: ['203.0.113.8', '127.0.0.1'] });
    const { connect } = application;
    const refusals = refusalsOf(application);
    const client = (await connect()).send(`${textHeader()}PING\n`);
    expect(await client.line()).toBe('PONG');
    await expectClosed((await connect()).send(`${textHeader('203.0.113.8')}PING\n`));
    expect(refusals).toEqual([['203.0.113.8', 'addressDenied']]);
  });

  it('may come over a Unix domain socket, whose file says who may open it', async () => {
    const path = join(temporaryFolder(), 'socket');
    const options = { path, proxyProtocolTrust: ['127.0.0.1'], allowAddresses: [CLIENT] };
    const { app } = await createLineApplication([WhoController], options);
    await app.listen();
    const client = (await TestClient.connect({ path })).send(textHeader());
    expect(await client.end('WHO\n').transcript()).toContain(`${CLIENT} ${CLIENT_PORT}`);
  });
});

describe('A connection that begins without a right PROXY header', () => {
  it.each([
    ['a line', 'PING\n'],
    ['nothing but a line end', '\n'],
    ['a wrong header', 'PROXY TCP4 203.0.113.7 192.0.2.1 1\r\nPING\n'],
    ['too long a header', `PROXY UNKNOWN ${'x'.repeat(200)}\r\nPING\n`],
    [
      'a header of version 2 that says it is huge',
      binaryHeader(0x21, 0x11, Buffer.alloc(0), 65_535),
    ],
    ['a header of version 3', binaryHeader(0x31, 0x11, Buffer.alloc(12))],
    ['TLS', Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00)],
  ])('is closed and told nothing: %s', async (_, sent) => {
    const application = await start();
    const { connect, server } = application;
    const refusals = refusalsOf(application);
    await expectClosed((await connect()).send(sent));
    expect(refusals).toEqual([['127.0.0.1', 'proxyHeader']]);
    expect(server.stats().connections).toMatchObject({
      open: 0,
      accepted: 0,
      refused: { proxyHeader: 1 },
    });
  });

  it('is closed when the time for it is over, however many bytes keep coming', async () => {
    const application = await start({ proxyHeaderTimeoutMs: 100 });
    const refusals = refusalsOf(application);
    const [silent, slow] = [await application.connect(), await application.connect()];
    slow.send('PROXY UNKNOWN ');
    const talking = setInterval(() => slow.send('x'), 10);
    await Promise.all([expectClosed(silent), expectClosed(slow)]);
    clearInterval(talking);
    expect(refusals).toEqual([
      ['127.0.0.1', 'proxyHeader'],
      ['127.0.0.1', 'proxyHeader'],
    ]);
  });

  it('is closed if it ends in the middle of the header', async () => {
    const application = await start();
    const refused = nextEvent(application.server, 'refused');
    await expectClosed((await application.connect()).end('PROXY TCP4'));
    expect((await refused)[1]).toBe('proxyHeader');
  });

  it('is no fault if it ends without a byte: so a proxy looks whether somebody listens', async () => {
    const application = await start();
    const { connect, server } = application;
    const refusals = refusalsOf(application);
    await expectClosed((await connect()).end());
    (await connect()).reset();
    await expect.poll(() => refusals.length).toBe(2);
    expect(refusals.map(([, reason]) => reason)).toEqual(['proxyProbe', 'proxyProbe']);
    expect(server.stats().connections).toMatchObject({
      accepted: 0,
      refused: { proxyHeader: 0, proxyProbe: 2 },
    });
  });

  it('harms nobody if it is cut right behind its header', async () => {
    const { connect, server } = await start();
    for (let round = 0; round < 50; round++) (await connect()).send(BINARY_HEADER).reset();
    const client = (await connect()).send(BINARY_HEADER);
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
    await expect.poll(() => server.stats().connections.open).toBe(0);
  });

  it('costs no place when it is over, however many there were', { timeout: 60_000 }, async () => {
    const { connect, server } = await start({ maxConnections: 60, maxConnectionsPerAddress: 1 });
    const garbage = [
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
      Buffer.alloc(100, 0xff),
      LOCAL_HEADER.subarray(0, 15),
    ];
    for (let round = 0; round < 20; round++) {
      const clients = await Promise.all(Array.from({ length: 50 }, connect));
      await Promise.all(
        clients.map((client, index) => expectClosed(client.end().send(garbage[index % 3] ?? ''))),
      );
      for (const client of clients) client.socket.destroy();
    }
    await expect.poll(() => sum(server.stats().connections.refused)).toBe(1_000);
    const served = await Promise.all(
      Array.from({ length: 60 }, async (_, index) =>
        (await connect()).send(`${textHeader(`198.51.100.${index}`)}PING\n`),
      ),
    );
    for (const client of served) expect(await client.line()).toBe('PONG');
    expect(server.stats().connections.open).toBe(60);
  });
});

describe('Connections that wait for their PROXY header', () => {
  it('have places, and some beyond: one more is closed at once', async () => {
    const application = await start({ maxConnections: 5, proxyHeaderTimeoutMs: 60_000 });
    const { connect, server } = application;
    const refusals = refusalsOf(application);
    const waiting = await Promise.all(Array.from({ length: 105 }, connect));
    const beyond = await connect();
    await expectClosed(beyond);
    expect(refusals).toEqual([['127.0.0.1', 'maxConnections']]);
    expect(server.stats().connections.open).toBe(0);
    for (const client of waiting) client.reset();
    await expect.poll(() => server.stats().connections.refused.proxyProbe).toBe(105);
    const client = (await connect()).send(textHeader());
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
  });

  it('never keep a closing server waiting', async () => {
    const { connect, server } = await start({
      shutdownGraceMs: 600_000,
      proxyHeaderTimeoutMs: 600_000,
    });
    const accepted = once(server.unwrap(), 'connection');
    const silent = await connect();
    await accepted;
    await server.close();
    await expectClosed(silent);
  });

  it('are served by a closing server if the header has come', async () => {
    const { connect, server } = await start({ shutdownGraceMs: 600_000 });
    const gate = new Gate();
    server.addHandler('HELD', () => gate.pass().then(() => 'at last'));
    const clients = await Promise.all(Array.from({ length: 20 }, connect));
    await Promise.all(
      clients.map(
        (client) =>
          new Promise((resolve) => client.socket.write(`${textHeader()}HELD\nPING\n`, resolve)),
      ),
    );
    const closed = server.close();
    gate.open();
    for (const client of clients) {
      expect(await client.transcript()).toBe('at last\r\nPONG\r\n');
      client.end();
    }
    await closed;
  });
});

describe('A connection from elsewhere than the trusted proxies', () => {
  it('is closed and told nothing, whatever its header says', async () => {
    const application = await start();
    const refusals = refusalsOf(application);
    const { server, port } = application;
    const spoofed = await TestClient.connect({
      port,
      host: '127.0.0.1',
      localAddress: '127.0.0.2',
    });
    await expectClosed(spoofed.send(`${textHeader('127.0.0.1')}WHO\n`));
    expect(refusals).toEqual([['127.0.0.2', 'proxyUntrusted']]);
    expect(server.stats().connections).toMatchObject({
      accepted: 0,
      refused: { proxyUntrusted: 1 },
    });
  });

  it('is one also where the server listens on IPv6, and the proxy is one of IPv4', async () => {
    const { app, server } = await createLineApplication([EchoController], {
      host: '::',
      proxyProtocolTrust: ['127.0.0.0/30', '::1'],
    });
    const { port } = (await app.listen()) as { port: number };
    for (const [host, localAddress] of [
      ['127.0.0.1', '127.0.0.3'],
      ['::1', '::1'],
    ] as const) {
      const client = await TestClient.connect({ port, host, localAddress });
      expect(await client.end(`${textHeader()}PING\n`).transcript()).toBe('PONG\r\n');
    }
    const other = await TestClient.connect({ port, host: '127.0.0.1', localAddress: '127.0.0.4' });
    await expectClosed(other.send(textHeader()));
    expect(server.stats().connections.refused.proxyUntrusted).toBe(1);
  });

  it.skipIf(missing('python3'))(
    'is taken for a probe if it was cut before anybody asked for its address: nothing it sent is served',
    async () => {
      const { server, port } = await start();
      const refused = nextEvent(server, 'refused');
      sendAndCut(port, `${textHeader()}PING\n`);
      const [peer, reason] = (await refused) as [Peer, string];
      expect([peer.remoteAddress, reason]).toEqual([undefined, 'proxyProbe']);
      expect(server.stats().lines).toBe(0);
    },
  );
});

describe('A server that trusts no proxy', () => {
  it('takes a header for a line, and its sender for who it is', async () => {
    const { connect } = await startLineApplication([WhoController]);
    const client = (await connect()).send(textHeader());
    const told = await client.end('WHO\n').transcript();
    expect(told).toMatch(/^UNKNOWN COMMAND\. Use WHO\.\r\n127\.0\.0\.1 /);
  });
});

function sum(counters: Readonly<Record<string, number>>): number {
  return Object.values(counters).reduce((total, count) => total + count, 0);
}

describe('A client whose PROXY header is awaited', () => {
  it('is counted as arriving, and then as open', async () => {
    const application = await start();
    const places = (): unknown => {
      const { open, arriving } = application.server.stats().connections;
      return { open, arriving };
    };
    const client = await TestClient.connect(application.port);
    client.send('PROXY ');
    await expect.poll(places).toEqual({ open: 0, arriving: 1 });
    const served = nextEvent(application.server, 'connection');
    client.send(textHeader().slice('PROXY '.length));
    await served;
    expect(places()).toEqual({ open: 1, arriving: 0 });
  });
});
