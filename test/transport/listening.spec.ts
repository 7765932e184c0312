/** Where a server listens, and how it says that it cannot. */
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { Global, Module } from '@nestjs/common';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  LineServer,
  type LineServerOptions,
  LineTransportModule,
} from '../../src/line-transport/index.js';
import { freePort } from '../support/free-port.js';
import {
  createLineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { EchoController } from './controllers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

describe('A server listens', () => {
  it('on a free port for port 0, and says which', async () => {
    const { app } = await createLineApplication([EchoController], { host: '127.0.0.1', port: 0 });
    const address: AddressInfo = await app.listen();
    expect(address).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
    const client = await TestClient.connect(address.port);
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
  });

  it('on every IPv4 and IPv6 interface by default, and names IPv4 clients by their IPv4 address', async () => {
    const { app, server } = await createLineApplication([EchoController]);
    const { port }: AddressInfo = await app.listen();
    const peers: (string | undefined)[] = [];
    server.on('connection', ({ remoteAddress }) => peers.push(remoteAddress));
    for (const host of ['127.0.0.1', '::1']) {
      const client = await TestClient.connect({ host, port });
      expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
    }
    expect(peers).toEqual(['127.0.0.1', '::1']);
  });

  it('on a Unix domain socket', async () => {
    const path = join(temporaryFolder(), 'socket');
    const { app, server } = await createLineApplication([EchoController], { path });
    expect(await app.listen()).toBe(path);
    const peers: unknown[] = [];
    server.on('connection', ({ remoteAddress, remotePort }) =>
      peers.push([remoteAddress, remotePort]),
    );
    const client = await TestClient.connect({ path });
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
    expect(peers).toEqual([[undefined, undefined]]);
  });

  it('on, although its socket reports an error that nobody listens for', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    server.unwrap().emit('error', new Error('accept failed'));
    const client = await connect();
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
  });
});

function createServer(options: LineServerOptions = {}): LineServer {
  const server = new LineServer({ host: '127.0.0.1', ...options });
  server.addHandler('PING', () => Promise.resolve('PONG'));
  onTestFinished(() => server.close());
  return server;
}

function listen(server: LineServer): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.listen((error, address) => {
      if (error === undefined) resolve(address as AddressInfo);
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- whatever it is called back with
      else reject(error);
    });
  });
}

async function expectPong(port: number): Promise<void> {
  const client = await TestClient.connect(port);
  expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
}

async function expectNobody(port: number): Promise<void> {
  await expect(TestClient.connect(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
}

const ALREADY = { code: 'ERR_LINE_LISTEN', message: 'The line server listens already.' };
const CLOSED = {
  code: 'ERR_LINE_LISTEN',
  message: 'The line server was closed before it listened.',
};

describe('A server that is closed', () => {
  it('listens again', async () => {
    const server = createServer();
    for (let round = 0; round < 2; round++) {
      const { port } = await listen(server);
      await expectPong(port);
      await server.close();
      await expectNobody(port);
      expect(() => server.unwrap()).toThrow(expect.objectContaining({ code: 'ERR_LINE_LISTEN' }));
    }
  });

  it('listens again when it is closed, and cuts none of its new clients', async () => {
    const server = createServer({ shutdownGraceMs: 50 });
    server.addHandler('HELD', () => new Promise(() => undefined));
    const first = await TestClient.connect((await listen(server)).port);
    const asked = nextEvent(server, 'request');
    first.send('HELD\n');
    await asked;
    const cut = nextEvent(server, 'closed');
    void server.close();
    const { port } = await listen(server);
    expect(await cut).toEqual([1]);
    const client = await TestClient.connect(port);
    client.send('PING\n');
    expect(await client.line()).toBe('PONG');
    await first.ended();
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
  });

  it.each([{ host: '127.0.0.1' }, { host: 'localhost' }, { host: undefined }])(
    'while it is about to listen does not listen, and says so: $host',
    async (options) => {
      for (const isLookedUp of [false, true]) {
        const server = createServer(options);
        const listening = listen(server);
        if (isLookedUp) await Promise.resolve(); // the look-up of the host has begun
        const closed = server.close();
        await expect(listening).rejects.toMatchObject(CLOSED);
        await closed;
        expect(() => server.unwrap()).toThrow(expect.objectContaining({ code: 'ERR_LINE_LISTEN' }));
      }
    },
  );

  it('does not listen if it is closed again before it does', async () => {
    const server = createServer();
    const { port } = await listen(server);
    void server.close();
    const [second, closed] = [listen(server), server.close()];
    const third = listen(server);
    await expect(second).rejects.toMatchObject(CLOSED);
    await closed;
    await expectNobody(port);
    await expectPong((await third).port);
  });
});

describe('A server that listens already', () => {
  it('says so, goes on as it was, and is closed as a whole', async () => {
    const server = createServer();
    const { port } = await listen(server);
    await expect(listen(server)).rejects.toMatchObject(ALREADY);
    await expectPong(port);
    await server.close();
    await expectNobody(port);
  });

  it('says so also while it is about to', async () => {
    const server = createServer();
    const [first, second] = [listen(server), listen(server)];
    await expect(second).rejects.toMatchObject(ALREADY);
    const { port } = await first;
    await server.close();
    await expectNobody(port);
  });

  it('on a port of its own choice says so too', async () => {
    const server = createServer({ port: await freePort() });
    const { port } = await listen(server);
    await expect(listen(server)).rejects.toMatchObject(ALREADY);
    await server.close();
    await expectNobody(port);
  });
});

describe('A server that cannot listen says why, once,', () => {
  async function fault(options: object): Promise<unknown> {
    const { app } = await createLineApplication([EchoController], options);
    return app.listen().catch((error: unknown) => error);
  }

  it('when the port is taken', async () => {
    const { port } = await startLineApplication([EchoController]);
    expect(await fault({ host: '127.0.0.1', port })).toMatchObject({
      code: 'ERR_LINE_LISTEN',
      message: `Cannot listen on port ${port} of 127.0.0.1: another process listens there already; stop it or choose another port (EADDRINUSE).`,
      cause: { code: 'EADDRINUSE' },
    });
  });

  it('when the port is taken on every interface', async () => {
    const { app } = await createLineApplication([EchoController]);
    const { port }: AddressInfo = await app.listen();
    expect(await fault({ port })).toMatchObject({
      message: expect.stringContaining(`Cannot listen on port ${port}: another process`),
    });
  });

  it('when the address is not one of this machine', async () => {
    expect(await fault({ host: '203.0.113.1' })).toMatchObject({
      cause: { code: 'EADDRNOTAVAIL' },
    });
  });

  it('when the name does not resolve', async () => {
    expect(await fault({ host: 'no-such-host.invalid' })).toMatchObject({
      code: 'ERR_LINE_LISTEN',
      message: expect.stringContaining('Cannot listen on port 0 of no-such-host.invalid'),
    });
  });

  it('when the path is taken by a file', async () => {
    const path = join(temporaryFolder(), 'file');
    writeFileSync(path, '');
    expect(await fault({ path })).toMatchObject({ cause: { code: 'EADDRINUSE' } });
  });

  it('when the folder of the path does not exist', async () => {
    expect(await fault({ path: '/no/such/folder/socket' })).toMatchObject({
      code: 'ERR_LINE_LISTEN',
      message: expect.stringContaining('/no/such/folder/socket'),
    });
  });

  it('and has nothing to unwrap', async () => {
    const { server } = await createLineApplication([EchoController]);
    expect(() => server.unwrap()).toThrow(expect.objectContaining({ code: 'ERR_LINE_LISTEN' }));
  });
});

describe('A server is made', () => {
  it('with its options injected', async () => {
    const LIMIT = Symbol('limit');

    @Global()
    @Module({ providers: [{ provide: LIMIT, useValue: 99 }], exports: [LIMIT] })
    class LimitModule {}

    @Module({
      imports: [
        LimitModule,
        LineTransportModule.forRootAsync({
          inject: [LIMIT],
          useFactory: (maxLineBytes: number) => ({ maxLineBytes }),
        }),
      ],
    })
    class AppModule {}

    const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
    expect(app.get(LineServer).options.maxLineBytes).toBe(99);
    await app.close();
  });

  it('without the module too', async () => {
    const server = new LineServer({ host: '127.0.0.1' });

    @Module({ controllers: [EchoController] })
    class AppModule {}

    const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
      strategy: server,
      logger: false,
    });
    onTestFinished(() => app.close());
    const { port }: AddressInfo = await app.listen();
    const client = await TestClient.connect(port);
    expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
    expect(server.getHandlerByPattern('PING')).not.toBeNull();
    expect(server.getHandlerByPattern('"PING"')).toBeNull();
  });
});
