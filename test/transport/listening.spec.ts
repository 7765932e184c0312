/** Where a server listens, and how it says that it cannot. */
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { Global, Module } from '@nestjs/common';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LineServer, LineTransportModule } from '../../src/line-transport/index.js';
import { createLineApplication, startLineApplication } from '../support/line-application.js';
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

  it('again after it was closed', async () => {
    const server = new LineServer({ host: '127.0.0.1' });
    server.addHandler('PING', () => Promise.resolve('PONG'));
    onTestFinished(() => server.close());
    for (let round = 0; round < 2; round++) {
      const { port } = await new Promise<AddressInfo>((resolve) => {
        server.listen((_, address) => resolve(address as AddressInfo));
      });
      const client = await TestClient.connect(port);
      expect(await client.end('PING\n').transcript()).toBe('PONG\r\n');
      await server.close();
    }
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
