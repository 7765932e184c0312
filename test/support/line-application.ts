/**
 * A Nest microservice on a LineServer with the test's own controllers, on a free port; closed when the test ends.
 */
import type { AddressInfo } from 'node:net';
import type { INestMicroservice, Provider, Type } from '@nestjs/common';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { onTestFinished } from 'vitest';
import {
  LineServer,
  type LineServerEvents,
  type LineServerOptions,
  LineTransportModule,
} from '../../src/line-transport/index.js';
import { AS_ASKED } from './dispatch.js';
import { TestClient } from './line-client.js';

export interface LineApplication {
  readonly app: INestMicroservice;
  readonly server: LineServer;
  readonly port: number;
  readonly connect: () => Promise<TestClient>;
}

export async function createLineApplication(
  controllers: Type[],
  options: LineServerOptions = {},
  providers: Provider[] = [],
  imports: Type[] = [],
): Promise<{ app: INestMicroservice; server: LineServer }> {
  const module = await Test.createTestingModule({
    imports: [LineTransportModule.forRoot({ ...AS_ASKED, ...options }), ...imports],
    controllers,
    providers,
  }).compile();
  const app = module.createNestMicroservice<AsyncMicroserviceOptions>({
    inject: [LineServer],
    useFactory: (strategy: LineServer) => ({ strategy }),
    logger: false,
  });
  onTestFinished(() => app.close());
  return { app, server: app.get(LineServer) };
}

export async function startLineApplication(
  controllers: Type[],
  options: LineServerOptions = {},
  providers: Provider[] = [],
  imports: Type[] = [],
): Promise<LineApplication> {
  const listening = { host: '127.0.0.1', shutdownGraceMs: 200, ...options };
  const { app, server } = await createLineApplication(controllers, listening, providers, imports);
  const { port }: AddressInfo = await app.listen();
  return { app, server, port, connect: () => TestClient.connect(port) };
}

/** What the listeners of the next such event are given. */
export function nextEvent(server: LineServer, name: keyof LineServerEvents): Promise<unknown[]> {
  return new Promise((resolve) => {
    server.on(name, (...args: unknown[]) => resolve(args));
  });
}
