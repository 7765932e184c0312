/**
 * TimeController: the two commands of the time protocol.
 */
import { Controller } from '@nestjs/common';
import { CLOSE, Command, type LineReply } from '../line-transport/index.js';
import { ClockService } from './clock.service.js';
import { jam } from './time-protocol.js';

@Controller()
export class TimeController {
  constructor(private readonly clock: ClockService) {}

  @Command('TIME')
  time(): LineReply {
    return jam(this.clock.timeOfDay());
  }

  @Command('QUIT')
  quit(): LineReply {
    return CLOSE;
  }
}
