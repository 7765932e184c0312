/**
 * The management port: an application with Express below, whose three questions are all it answers, and how it listens. Knows nothing of
 * what it is asked.
 */
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import type { Settings } from '../config/settings.js';
import { LOG, type Log } from '../logging/log.js';
import { LOG_MESSAGES } from '../logging/log-messages.js';
import { StartError } from '../start-error.js';

/** Whoever asks is near and asks little; others shall not use up the descriptors of the service. */
const MAX_CONNECTIONS = 64;
/** In which a request must have been sent. */
const REQUEST_MS = 5_000;

/** Made, but not listening yet. */
export async function createManagement(module: DynamicModule): Promise<NestExpressApplication> {
  const app = await NestFactory.create<NestExpressApplication>(module, new ExpressAdapter(), {
    bufferLogs: true,
    bodyParser: false,
    forceCloseConnections: true, // a scraper keeps its connection; the end does not wait for it
  });
  app.disable('x-powered-by').disable('etag').set('query parser', false);
  const server: Server = app.getHttpServer();
  server.timeout = REQUEST_MS; // Node looks at the two below every half minute only
  server.headersTimeout = REQUEST_MS;
  server.requestTimeout = REQUEST_MS;
  server.maxConnections = MAX_CONNECTIONS;
  return app;
}

/**
 * Begins to listen, and says so in the log.
 * @throws {StartError} if it cannot
 */
export async function listenForManagement(
  app: NestExpressApplication,
  { MANAGEMENT_HOST: host = '127.0.0.1', MANAGEMENT_PORT: port, LOCALE }: Settings,
): Promise<void> {
  await app.init();
  const server: Server = app.getHttpServer();
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError(
      `Cannot listen on MANAGEMENT_PORT ${port} of MANAGEMENT_HOST ${host}: ${reason}. Choose others, or stop who has them.`,
    );
  }
  const log = app.get<Log>(LOG, { strict: false });
  const messages = LOG_MESSAGES[LOCALE];
  server.on('error', (error) => {
    log.error({ event: 'managementFailed' }, messages.managementFailed(error.message));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') return;
  log.info(
    { event: 'managementListening', ...address },
    messages.managementListening(address.address, address.port),
  );
}
