/**
 * The examples as their modules are written, but on a free port of this machine alone; closed when the test ends.
 */
import type { AddressInfo } from 'node:net';
import type { INestMicroservice, Type } from '@nestjs/common';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { Test, type TestingModule } from '@nestjs/testing';
import { onTestFinished } from 'vitest';
import {
  LINE_SERVER_OPTIONS,
  LineServer,
  type LineServerOptions,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { AS_ASKED } from './dispatch.js';
import type { LineApplication } from './line-application.js';
import { TestClient } from './line-client.js';

/** An example without a port: for `server.inject` and conversations in memory. */
export async function initExample(
  root: Type,
): Promise<{ server: LineServer; converse: () => LineConversation }> {
  const app = await createExample(root);
  await app.init();
  const server = app.get(LineServer);
  return { server, converse: () => new LineConversation(server) };
}

/** An example that listens. */
export async function startExample(root: Type): Promise<LineApplication> {
  const app = await createExample(root);
  const { port }: AddressInfo = await app.listen();
  return { app, server: app.get(LineServer), port, connect: () => TestClient.connect(port) };
}

/** An example's module, with the place where it listens as the only difference. */
export async function compileExample(root: Type): Promise<TestingModule> {
  const written = await Test.createTestingModule({ imports: [root] }).compile();
  const options = written.get<LineServerOptions>(LINE_SERVER_OPTIONS, { strict: false });
  return Test.createTestingModule({ imports: [root] })
    .overrideProvider(LINE_SERVER_OPTIONS)
    .useValue({ ...AS_ASKED, ...options, host: '127.0.0.1', port: 0, shutdownGraceMs: 200 })
    .compile();
}

async function createExample(root: Type): Promise<INestMicroservice> {
  const module = await compileExample(root);
  const app = module.createNestMicroservice<AsyncMicroserviceOptions>({
    inject: [LineServer],
    useFactory: (strategy: LineServer) => ({ strategy }),
    logger: false,
  });
  onTestFinished(() => app.close());
  return app;
}
