/** Lets people talk on port 45000: `npm run example -- chat`. */
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { LineServer } from '../../src/line-transport/index.js';
import { ChatModule } from './chat.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(ChatModule, {
  inject: [LineServer],
  useFactory: (strategy: LineServer) => ({ strategy }),
});
app.enableShutdownHooks();
await app.listen();
