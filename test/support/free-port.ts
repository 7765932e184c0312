/**
 * Reaching a service whose log cannot be asked for its port.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { TestClient } from './line-client.js';

/** A port that nothing listens on, below those that the system gives to clients. */
export async function freePort(): Promise<number> {
  const port = 20_000 + Math.floor(Math.random() * 12_000);
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return freePort();
  }
  server.close();
  await once(server, 'close');
  return port;
}

/** Connects as soon as something listens; every refusal is answered with the next attempt. */
export async function connectAtLast(port: number): Promise<TestClient> {
  try {
    return await TestClient.connect(port);
  } catch {
    return connectAtLast(port);
  }
}
