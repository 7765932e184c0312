/**
 * EchoModule: a line server and the one controller that answers it.
 */
import { Module } from '@nestjs/common';
import { LineTransportModule } from '../../src/line-transport/index.js';
import { EchoController } from './echo.controller.js';

@Module({
  imports: [LineTransportModule.forRoot({ port: 45_000 })],
  controllers: [EchoController],
})
export class EchoModule {}
