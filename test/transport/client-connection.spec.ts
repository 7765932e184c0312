/** A client's connection: how it is made, what its end means, and what is left of it. */
import { once } from 'node:events';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy, ClientProxyFactory, ClientsModule } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { LineClient } from '../../src/line-transport/index.js';
import { createLineApplication, startLineApplication } from '../support/line-application.js';
import { converse, lineClient, nextOf, RawServer } from '../support/raw-server.js';
import { EchoController } from './controllers.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A port on which nothing listens. */
async function freePort(): Promise<number> {
  const server = await RawServer.listen();
  const { port } = server;
  await server.stop();
  return port;
}

function ping(client: ClientProxy): Promise<string> {
  return firstValueFrom(client.send<string>('PING', ''));
}

afterEach(() => {
  vi.useRealTimers();
});

describe('A client is made', () => {
  it('by ClientsModule, and closed with the application', async () => {
    const { port } = await startLineApplication([EchoController]);

    @Injectable()
    class Asker {
      constructor(@Inject('ECHO') readonly client: ClientProxy) {}
    }

    const options = { port, host: '127.0.0.1' };
    const module = await Test.createTestingModule({
      imports: [ClientsModule.register([{ name: 'ECHO', customClass: LineClient, options }])],
      providers: [Asker],
    }).compile();
    await module.init();
    const { client } = module.get(Asker);
    expect(await ping(client)).toBe('PONG');
    const socket = client.unwrap<Socket>();
    await module.close();
    expect(socket.destroyed).toBe(true);
  });

  it('by ClientProxyFactory, to find out whether the server is there', async () => {
    const { port } = await startLineApplication([EchoController]);
    const there = ClientProxyFactory.create({ customClass: LineClient, options: { port } });
    await expect(there.connect()).resolves.toBeUndefined();
    await there.close();
    const options = { port: await freePort() };
    const absent = ClientProxyFactory.create({ customClass: LineClient, options });
    await expect(absent.connect()).rejects.toMatchObject({ code: 'ERR_LINE_CONNECT' });
  });

  it('with options, which are checked at once', () => {
    expect(() => new LineClient()).toThrow(expect.objectContaining({ code: 'ERR_LINE_OPTIONS' }));
  });
});

describe('A client connects', () => {
  it('to a Unix domain socket', async () => {
    const path = join(temporaryFolder(), 'socket');
    const { app } = await createLineApplication([EchoController], { path });
    await app.listen();
    const client = lineClient({ path });
    expect(await ping(client)).toBe('PONG');
    await client.close();
  });

  it('to localhost, whichever addresses that has', async () => {
    const { port } = await startLineApplication([EchoController]);
    const client = new LineClient({ port });
    expect(await ping(client)).toBe('PONG');
    await client.close();
  });

  it('once, however often it is asked to', async () => {
    const { client, server } = await converse();
    await Promise.all([client.connect(), client.connect()]);
    await client.connect();
    expect(server.connections).toBe(1);
  });
});

describe('A client that cannot connect says why', () => {
  it('when nothing listens, and tries no more', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const port = await freePort();
    const client = lineClient({ port });
    await expect(client.connect()).rejects.toMatchObject({
      code: 'ERR_LINE_CONNECT',
      message: `Cannot connect to port ${port} of 127.0.0.1: nothing listens there (ECONNREFUSED).`,
      cause: { code: 'ECONNREFUSED' },
    });
    expect(vi.getTimerCount()).toBe(0);
    await expect(ping(client)).rejects.toMatchObject({ code: 'ERR_LINE_CONNECT' });
    expect(await firstValueFrom(client.status)).toBe('disconnected');
  });

  it('when nothing listens on any address of the name', async () => {
    const port = await freePort();
    await expect(lineClient({ host: 'localhost', port }).connect()).rejects.toMatchObject({
      message: `Cannot connect to port ${port} of localhost: nothing listens there (ECONNREFUSED).`,
    });
  });

  it('when the name does not resolve', async () => {
    const client = lineClient({ host: 'no-such-host.invalid', port: 7 });
    await expect(client.connect()).rejects.toMatchObject({
      code: 'ERR_LINE_CONNECT',
      message: expect.stringMatching(/^Cannot connect to port 7 of no-such-host\.invalid: /),
    });
  });

  it('when there is no such path', async () => {
    await expect(lineClient({ path: '/no/such/socket' }).connect()).rejects.toMatchObject({
      message: 'Cannot connect to /no/such/socket: nothing listens there (ENOENT).',
    });
  });

  it('when connecting takes too long', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const server = await RawServer.listen(); // which never answers a TLS greeting
    const client = lineClient({ port: server.port, tls: true, connectTimeoutMs: 1_000 });
    const connecting = client.connect();
    const fault = connecting.catch((error: unknown) => error);
    const peer = await server.accept();
    vi.advanceTimersByTime(999);
    const settled = vi.fn();
    void fault.then(settled);
    await new Promise((resolve) => setImmediate(resolve));
    expect(settled).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(await fault).toMatchObject({
      code: 'ERR_LINE_CONNECT',
      message: `Cannot connect to port ${server.port} of 127.0.0.1: no connection within 1000 ms.`,
    });
    await peer.ended();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('and has nothing to unwrap', async () => {
    const client = lineClient({ port: 7 });
    expect(() => client.unwrap()).toThrow(
      expect.objectContaining({
        code: 'ERR_LINE_CLOSED',
        message: 'There is no connection to port 7 of 127.0.0.1.',
      }),
    );
  });
});

describe('When the connection is lost', () => {
  it('what waits for a reply fails, once the replies that came are given', async () => {
    const { client, peer } = await converse();
    const replies = Promise.allSettled([ping(client), ping(client)]);
    await peer.lines(2);
    peer.send('1\n').end();
    const { port } = client.options;
    expect(await replies).toMatchObject([
      { value: '1' },
      {
        reason: {
          code: 'ERR_LINE_CLOSED',
          message: `The connection to port ${port} of 127.0.0.1 is lost: the server closed it.`,
        },
      },
    ]);
  });

  it('by a reset, the system says so', async () => {
    const { client, peer } = await converse();
    const fault = ping(client).catch((error: unknown) => error);
    const over = nextOf(client, 'disconnection');
    await peer.line();
    peer.reset();
    expect(await fault).toMatchObject({ code: 'ERR_LINE_CLOSED', cause: { code: 'ECONNRESET' } });
    expect(await over).toMatchObject([{ code: 'ERR_LINE_CLOSED' }]);
  });
});

describe('Closing a client', () => {
  it('fails what waits for a reply, and nothing else', async () => {
    const { client, peer } = await converse();
    const [first, second] = [ping(client), ping(client).catch((error: unknown) => error)];
    await peer.lines(2);
    peer.send('1\n');
    expect(await first).toBe('1');
    await client.close();
    expect(await second).toMatchObject({
      code: 'ERR_LINE_CLOSED',
      message: `The client of port ${client.options.port} of 127.0.0.1 was closed.`,
    });
  });

  it('leaves no socket and no timer, and tells its listeners without an error', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, peer } = await converse();
    void ping(client).catch(() => undefined);
    await peer.line();
    const socket = client.unwrap();
    const over = nextOf(client, 'disconnection');
    await client.close();
    expect(await over).toEqual([]);
    expect(socket.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits a second for a server that keeps its side open, and no longer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const server = await RawServer.listen({ allowHalfOpen: true });
    const client = lineClient({ port: server.port });
    const [peer] = await Promise.all([server.accept(), client.connect()]);
    const socket = client.unwrap();
    const unsolicited = vi.fn();
    client.on('unsolicited', unsolicited);
    const closed = client.close();
    await peer.ended();
    peer.send('too late\n');
    await once(socket, 'data');
    vi.advanceTimersByTime(999);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    await closed;
    expect(socket.destroyed).toBe(true);
    expect(unsolicited).not.toHaveBeenCalled();
  });

  it('may be asked for twice, or before there is a connection', async () => {
    const { client } = await converse();
    const disconnections = vi.fn();
    client.on('disconnection', disconnections);
    await Promise.all([client.close(), client.close()]);
    await client.close();
    expect(disconnections).toHaveBeenCalledOnce();
    await expect(lineClient({ port: 7 }).close()).resolves.toBeUndefined();
  });

  it('while it connects fails the attempt, and the requests that wait for it', async () => {
    const server = await RawServer.listen();
    const client = lineClient({ port: server.port });
    const disconnections = vi.fn();
    client.on('disconnection', disconnections);
    const faults = Promise.allSettled([client.connect(), ping(client)]);
    await client.close();
    expect(await faults).toMatchObject([
      { reason: { code: 'ERR_LINE_CLOSED' } },
      { reason: { code: 'ERR_LINE_CLOSED' } },
    ]);
    expect(disconnections).not.toHaveBeenCalled();
  });

  it('between the connection and a request fails the request, which does not connect again', async () => {
    const { client, server } = await converse();
    const reply = ping(client);
    void client.close();
    await expect(reply).rejects.toMatchObject({ code: 'ERR_LINE_CLOSED' });
    expect(server.connections).toBe(1);
  });

  it('is not for ever: a later request connects again', async () => {
    const { port } = await startLineApplication([EchoController]);
    const client = lineClient({ port });
    expect(await ping(client)).toBe('PONG');
    await client.close();
    expect(await ping(client)).toBe('PONG');
  });
});
