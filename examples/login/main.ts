/** Lets people log in on port 45000: `npm run example -- login`. */
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { LineServer } from '../../src/line-transport/index.js';
import { LoginModule } from './login.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(LoginModule, {
  inject: [LineServer],
  useFactory: (strategy: LineServer) => ({ strategy }),
});
app.enableShutdownHooks();
await app.listen();
