/**
 * HybridModule: one application, one counter, two ways in.
 */
import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { LineTransportModule } from '../../src/line-transport/index.js';
import { CounterHttpController, CounterLineController } from './counter.controllers.js';
import { Counter } from './counter.service.js';

@Module({
  imports: [LineTransportModule.forRoot({ port: 45_000 })],
  controllers: [CounterLineController, CounterHttpController],
  providers: [Counter, { provide: APP_PIPE, useClass: StandardSchemaValidationPipe }],
})
export class HybridModule {}
