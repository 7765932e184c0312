/**
 * Serves TIME, DATE and QUIT on port 45000: `npm run example -- date`.
 */
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { LineServer } from '../../src/line-transport/index.js';
import { DateModule } from './date.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(DateModule, {
  inject: [LineServer],
  useFactory: (strategy: LineServer) => ({ strategy }),
});
app.enableShutdownHooks();
await app.listen();
