/**
 * The story of the process: read the settings, listen, and close in order when told to.
 */
import { ConfigModule } from '@nestjs/config';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { AppModule } from './app.module.js';
import { LineError, LineServer } from './line-transport/index.js';
import { closeOnSignals } from './operations/close-on-signals.js';
import { settings, SettingsError } from './operations/config/settings.js';
import { NestLog } from './operations/logging/nest-log.js';

async function bootstrap(): Promise<void> {
  await ConfigModule.envVariablesLoaded; // the .env file is read
  const given = settings(); // before Nest, which would wrap a fault in a stack trace
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(AppModule.with([]), {
    bufferLogs: true,
    inject: [LineServer],
    useFactory: (strategy: LineServer) => ({ strategy }),
  });
  app.useLogger(app.get(NestLog));
  app.flushLogs();
  closeOnSignals(app, given.SHUTDOWN_DELAY_MS);
  await app.listen();
}

// No top-level await: what is required must not have one.
bootstrap().catch((error: unknown) => {
  const isPlain = error instanceof SettingsError || error instanceof LineError;
  console.error(isPlain ? error.message : error);
  process.exitCode = 1;
});
