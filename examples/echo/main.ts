/** Says every line back on port 45000: `npm run example -- echo`. */
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { LineServer } from '../../src/line-transport/index.js';
import { EchoModule } from './echo.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(EchoModule, {
  inject: [LineServer],
  useFactory: (strategy: LineServer) => ({ strategy }),
});
app.enableShutdownHooks();
await app.listen();
