/**
 * The service as a Nest application: the same in a process of its own and in a worker.
 */
import { createRequire } from 'node:module';
import type { DynamicModule, INestApplicationContext, INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { AppModule } from './app.module.js';
import { LineServer } from './line-transport/index.js';
import type { Settings } from './operations/config/settings.js';
import { NestLog } from './operations/logging/nest-log.js';
import type { TlsModule } from './operations/tls/tls.module.js';

const require = createRequire(import.meta.url);

/** Made, but not listening yet. */
export async function createService(
  given: Settings,
  imports: DynamicModule[] = [],
): Promise<INestMicroservice> {
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(
    AppModule.with([...tlsOf(given), ...imports]),
    {
      bufferLogs: true,
      inject: [LineServer],
      useFactory: (strategy: LineServer) => ({ strategy }),
    },
  );
  useLog(app);
  return app;
}

/** What serves TLS, where that is set. */
export function tlsOf(given: Settings): DynamicModule[] {
  return given.TLS_CERT_FILE === undefined ? [] : [loadTls().forRoot()];
}

/** The files of TLS, where it is set. */
export function tlsFilesOf(app: INestApplicationContext, given: Settings): TlsModule | undefined {
  return given.TLS_CERT_FILE === undefined ? undefined : app.get(loadTls());
}

/** From now on Nest's own lines go through the service's log. */
export function useLog(app: INestApplicationContext): void {
  app.useLogger(app.get(NestLog));
  app.flushLogs();
}

function loadTls(): typeof TlsModule {
  const tls: typeof import('./operations/tls/tls.module.js') = require('./operations/tls/tls.module.js');
  return tls.TlsModule;
}
