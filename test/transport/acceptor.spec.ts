/** A server whose clients another process accepts: it treats them as if they had come to a port of its own. */
import { once } from 'node:events';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Acceptor,
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
import { textHeader } from '../support/proxy-header.js';
import { EchoController } from './controllers.js';

/** A port that reads nothing and hands sockets over, in this process; over a channel they arrive with Node's defaults, too. */
async function startElsewhere(): Promise<{ acceptor: Acceptor; port: number }> {
  const port = createServer({ pauseOnConnect: true });
  port.listen(0, '127.0.0.1');
  await once(port, 'listening');
  onTestFinished(() => {
    port.close();
  });
  const address = port.address() as AddressInfo;
  const acceptor: Acceptor = (take) => {
    port.on('connection', (socket: Socket) => {
      take(socket);
    });
    return Promise.resolve(address);
  };
  return { acceptor, port: address.port };
}

/** The acceptor says where. */
function startWith(options: LineServerOptions): Promise<LineApplication> {
  return startLineApplication([EchoController], { ...options, host: undefined });
}

async function startWithAcceptor(options: LineServerOptions = {}): Promise<LineApplication> {
  const { acceptor, port } = await startElsewhere();
  const application = await startWith({ ...options, acceptor });
  return { ...application, port, connect: () => TestClient.connect(port) };
}

/** Its clients come when they are given, so many in one turn. */
async function startGiving(options: LineServerOptions) {
  const port = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
  const come: Socket[] = [];
  port.on('connection', (socket) => come.push(socket));
  await once(port, 'listening');
  onTestFinished(() => {
    port.close();
  });
  const address = port.address() as AddressInfo;
  let take: (socket: Socket) => void = () => undefined;
  const acceptor: Acceptor = (taker) => {
    take = taker;
    return Promise.resolve(address);
  };
  const { server } = await startWith({ ...options, acceptor });
  const give = async (count: number): Promise<Socket[]> => {
    await expect.poll(() => come.length).toBe(count);
    const given = come.splice(0);
    for (const socket of given) take(socket);
    return given;
  };
  return { server, give, connect: () => TestClient.connect(address.port) };
}

describe('A server with an acceptor', () => {
  it('listens where that says, and has no port of its own', async () => {
    const { acceptor, port } = await startElsewhere();
    const { port: told, server } = await startWith({ acceptor });
    expect(told).toBe(port);
    expect(server.unwrap().listening).toBe(false);
  });

  it('serves whom it is given, also one that closes its side first', async () => {
    const { connect, server } = await startWithAcceptor();
    const client = await connect();
    client.end('PING\nPING\n');
    expect(await client.transcript()).toBe('PONG\r\nPONG\r\n');
    expect(server.stats().connections.accepted).toBe(1);
  });

  it('refuses whom there is no room for, and tells them so', async () => {
    const { connect } = await startWithAcceptor({ maxConnections: 1 });
    const first = await connect();
    first.send('PING\n');
    expect(await first.line()).toBe('PONG');
    const second = await connect();
    expect(await second.transcript()).toBe('SERVER FULL. Try again later.\r\n');
    second.end();
  });

  it('closes whom its lists do not allow', async () => {
    const { connect, server } = await startWithAcceptor({ denyAddresses: ['127.0.0.0/8'] });
    const refused = nextEvent(server, 'refused');
    const client = await connect();
    await client.ended();
    expect((await refused)[1]).toBe('addressDenied');
  });

  it('learns from the header of a proxy who they are', async () => {
    const { connect, server } = await startWithAcceptor({ proxyProtocolTrust: ['127.0.0.1'] });
    const connected = nextEvent(server, 'connection');
    const client = await connect();
    client.send(`${textHeader('203.0.113.7')}PING\n`);
    expect(await client.line()).toBe('PONG');
    expect((await connected)[0]).toMatchObject({ remoteAddress: '203.0.113.7' });
  });

  it('closes when those, too, were answered who said who they are in the last moment', async () => {
    const { app, connect, server } = await startWithAcceptor({
      proxyProtocolTrust: ['127.0.0.1'],
      shutdownGraceMs: 10_000,
    });
    const client = await connect();
    await expect.poll(() => server.stats().connections.arriving).toBe(1);
    await new Promise((resolve) => {
      client.socket.write(`${textHeader('203.0.113.7')}PING\n`, resolve);
    });
    const closed = app.close();
    expect(await client.transcript()).toBe('PONG\r\n');
    client.end();
    await closed;
  });

  it('serves nobody any more when it has closed', async () => {
    let give: ((socket: Socket) => void) | undefined;
    const acceptor: Acceptor = (take) => {
      give = take;
      return Promise.resolve('elsewhere');
    };
    const { app, server } = await startWith({ acceptor });
    await app.close();
    const late = new Socket();
    give?.(late);
    expect(late.destroyed).toBe(true);
    expect(server.stats().connections).toMatchObject({ open: 0, arriving: 0, accepted: 0 });
  });

  it('makes room for each of many that come at once, as long as somebody has only to go', async () => {
    const most = 10;
    const given: Socket[] = [];
    const { connect, give, server } = await startGiving({ maxConnections: most });
    const gone = await Promise.all(Array.from({ length: most }, connect));
    for (const client of gone) client.socket.on('error', () => undefined);
    given.push(...(await give(most)));
    for (const client of gone) client.send('QUIT\n');
    for (const client of gone) await client.ended(); // and does not close its side
    await Promise.all(Array.from({ length: most }, connect));
    given.push(...(await give(most)));
    expect(server.stats().connections).toMatchObject({ open: most, accepted: 2 * most });
    expect(given.filter(({ destroyed }) => !destroyed)).toHaveLength(most);
  });

  it('has nothing to do with one that has gone before it is given', async () => {
    const gone = new Socket();
    gone.destroy();
    await once(gone, 'close');
    const acceptor: Acceptor = (take) => {
      take(gone);
      return Promise.resolve('elsewhere');
    };
    const { app, server } = await startWith({ acceptor });
    expect(server.stats().connections).toMatchObject({ open: 0, arriving: 0, accepted: 0 });
    await app.close();
  });

  it('agrees on TLS with them', async () => {
    const certificate = selfSigned();
    const { port } = await startWithAcceptor({ tls: certificate });
    const socket = connectTls({ host: '127.0.0.1', port, ca: certificate.cert });
    const client = TestClient.of(socket);
    await once(socket, 'secureConnect');
    client.send('PING\n');
    expect(await client.line()).toBe('PONG');
    client.end();
  });

  it('closes when each of them was answered what it had sent', async () => {
    const { app, connect } = await startWithAcceptor({ shutdownGraceMs: 10_000 });
    const client = await connect();
    client.send('PING\n');
    await client.line();
    await new Promise((resolve) => {
      client.socket.write('PING\n'.repeat(1_000), resolve);
    });
    let isClosed = false;
    const closed = app.close().then(() => (isClosed = true));
    expect(await client.transcript()).toBe('PONG\r\n'.repeat(1_000));
    expect(isClosed).toBe(false); // the client has not closed its side
    client.end();
    await closed;
  });

  it('fails to listen with the reason of an acceptor that fails, also with TLS', async () => {
    const acceptor: Acceptor = () => Promise.reject(new Error('nobody accepts'));
    for (const tls of [undefined, selfSigned()]) {
      await expect(startWith({ tls, acceptor })).rejects.toThrow(
        /^Cannot listen by way of the acceptor: nobody accepts\.$/,
      );
    }
  });

  it('refuses TLS behind proxies where the acceptor listens on a Unix domain socket', async () => {
    const { acceptor } = await startElsewhere();
    const local: Acceptor = async (take) => {
      await acceptor(take);
      return '/run/lines';
    };
    const options = {
      acceptor: local,
      tls: selfSigned('local'),
      proxyProtocolTrust: ['127.0.0.1'],
    };
    await expect(startWith(options)).rejects.toThrow(
      /^Cannot listen on a Unix domain socket with both tls and proxyProtocolTrust/,
    );
  });

  it('is refused an acceptor that is no function', () => {
    const options = { acceptor: 'elsewhere' } as unknown as LineServerOptions;
    expect(() => new LineServer(options)).toThrow('acceptor must be a function');
  });
});
