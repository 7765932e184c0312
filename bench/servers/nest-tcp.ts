/**
 * The same command on Nest's own TCP transport, which frames JSON by its length.
 */
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Transport } from '@nestjs/microservices';
import { ClockService } from '../../src/time/clock.service.js';
import { jam } from '../../src/time/time-protocol.js';
import { HOST, PORT } from './environment.js';

@Controller()
class TimeController {
  constructor(private readonly clock: ClockService) {}

  @MessagePattern('TIME')
  time(): string {
    return jam(this.clock.timeOfDay());
  }
}

@Module({ providers: [ClockService], controllers: [TimeController] })
class TimeModule {}

const app = await NestFactory.createMicroservice(TimeModule, {
  transport: Transport.TCP,
  options: { host: HOST, port: PORT },
  logger: ['error'],
});
await app.listen();
