/** Calculates on port 45000: `npm run example -- calculator`. */
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { LineServer } from '../../src/line-transport/index.js';
import { CalculatorModule } from './calculator.module.js';

const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(CalculatorModule, {
  inject: [LineServer],
  useFactory: (strategy: LineServer) => ({ strategy }),
});
app.enableShutdownHooks();
await app.listen();
