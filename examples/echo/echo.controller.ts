/**
 * EchoController: says every line back. No line is a command here, so every line is an unknown one.
 */
import { Controller } from '@nestjs/common';
import { type LineReply, RawLine, UnknownCommand } from '../../src/line-transport/index.js';

@Controller()
export class EchoController {
  @UnknownCommand()
  echo(@RawLine() line: string): LineReply {
    return line;
  }
}
