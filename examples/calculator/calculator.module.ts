/**
 * CalculatorModule: the controller, and the pipe that holds arguments against their schemas.
 */
import { Module, StandardSchemaValidationPipe } from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { LineTransportModule } from '../../src/line-transport/index.js';
import { CalculatorController } from './calculator.controller.js';

@Module({
  imports: [LineTransportModule.forRoot({ port: 45_000 })],
  controllers: [CalculatorController],
  providers: [{ provide: APP_PIPE, useClass: StandardSchemaValidationPipe }],
})
export class CalculatorModule {}
