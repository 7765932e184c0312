/**
 * TimeController: the two commands of the time protocol.
 */
import { Controller } from '@nestjs/common';
import { CLOSE, Command, type LineReply } from '../line-transport/index.js';
import { ClockService } from './clock.service.js';
import { jam } from './time-protocol.js';

/** The commands of the time protocol, for a server of the line transport. */
@Controller()
export class TimeController {
  constructor(private readonly clock: ClockService) {}

  /** `JAM hh:mm:ss`. */
  @Command('TIME')
  time(): LineReply {
    return jam(this.clock.timeOfDay());
  }

  /** Nothing: the connection is closed. */
  @Command('QUIT')
  quit(): LineReply {
    return CLOSE;
  }
}
