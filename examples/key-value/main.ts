/** Keeps words under keys on port 45000: `npm run example -- key-value`. */
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { LineServer } from '../../src/line-transport/index.js';
import { KeyValueModule } from './key-value.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(KeyValueModule, {
  inject: [LineServer],
  useFactory: (strategy: LineServer) => ({ strategy }),
});
app.enableShutdownHooks();
await app.listen();
