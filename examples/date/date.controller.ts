/**
 * DateController: one more command for the time service. `DATE` is answered with the day of the clock's zone.
 */
import { Controller, Inject, Optional } from '@nestjs/common';
import { TIME_ZONE } from '../../src/index.js';
import { Command, type LineReply } from '../../src/line-transport/index.js';

@Controller()
export class DateController {
  constructor(@Optional() @Inject(TIME_ZONE) private readonly timeZone?: string) {}

  @Command('DATE')
  date(): LineReply {
    const { timeZone } = this;
    // Swedish writes a date as ISO 8601 does; `toISOString` would tell the day in London.
    return `TANGGAL ${new Date().toLocaleDateString('sv-SE', timeZone === undefined ? {} : { timeZone })}`;
  }
}
