/**
 * What a LineClient is tested with: a server that says only what the test says, also what no LineServer would; and a client
 * that is closed when the test ends.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import {
  LineClient,
  type LineClientEvents,
  type LineClientOptions,
} from '../../src/line-transport/index.js';
import { TestClient } from './line-client.js';

export class RawServer {
  readonly #accepted: TestClient[] = [];
  readonly #sockets = new Set<Socket>();
  #wake: (() => void) | undefined;

  private constructor(readonly server: Server) {
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      this.#accepted.push(TestClient.of(socket));
      this.#wake?.();
    });
  }

  /** Listens on 127.0.0.1; on a free port unless one is given. */
  static async listen({ port = 0, allowHalfOpen = false } = {}): Promise<RawServer> {
    const raw = new RawServer(createServer({ allowHalfOpen }));
    raw.server.listen(port, '127.0.0.1');
    await once(raw.server, 'listening');
    onTestFinished(() => raw.stop());
    return raw;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** How many connections there have been. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** The next connection, from its server's end. */
  async accept(): Promise<TestClient> {
    while (this.#accepted.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#accepted.shift() as TestClient;
  }

  /** Cuts every connection and listens no more. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }
}

export function lineClient(options: LineClientOptions): LineClient {
  const host = options.path === undefined ? { host: '127.0.0.1' } : {};
  const client = new LineClient({ ...host, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** A client and the server's end of its connection. */
export async function converse(
  options: LineClientOptions = {},
): Promise<{ client: LineClient; peer: TestClient; server: RawServer }> {
  const server = await RawServer.listen();
  const client = lineClient({ port: server.port, ...options });
  const [peer] = await Promise.all([server.accept(), client.connect()]);
  return { client, peer, server };
}

/** What the listeners of the next such event are given. */
export function nextOf(client: LineClient, name: keyof LineClientEvents): Promise<unknown[]> {
  return new Promise((resolve) => {
    client.on(name, (...args: unknown[]) => resolve(args));
  });
}
