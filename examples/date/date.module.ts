/**
 * DateModule: the time service with DATE beside TIME and QUIT.
 */
import { Module } from '@nestjs/common';
import { TimeModule, WORDS } from '../../src/index.js';
import { LineTransportModule } from '../../src/line-transport/index.js';
import { DateController } from './date.controller.js';

@Module({
  imports: [
    LineTransportModule.forRoot({ port: 45_000, lineGraceMs: 200, words: WORDS.id }),
    TimeModule.forRootAsync({ useFactory: () => process.env['TIME_ZONE'] || undefined }),
  ],
  controllers: [DateController],
})
export class DateModule {}
