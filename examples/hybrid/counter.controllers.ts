/**
 * The two doors to the counter: a controller for lines, and one for HTTP. What both take is checked by the same schema.
 */
import { Body, Controller, Get, Post } from '@nestjs/common';
import { Args, Command, type LineReply } from '../../src/line-transport/index.js';
import { Counter, Raise } from './counter.service.js';

@Controller()
export class CounterLineController {
  constructor(private readonly counter: Counter) {}

  /** The word may be left out, as may the field over HTTP: the schema has a default for both. */
  @Command('RAISE', { args: ['by?'] })
  raise(@Args({ schema: Raise }) raise: Raise): LineReply {
    return this.counter.raise(raise);
  }

  @Command('COUNT')
  count(): LineReply {
    return this.counter.count;
  }
}

@Controller('counter')
export class CounterHttpController {
  constructor(private readonly counter: Counter) {}

  @Post()
  raise(@Body({ schema: Raise }) raise: Raise): { count: number } {
    return { count: this.counter.raise(raise) };
  }

  @Get()
  count(): { count: number } {
    return { count: this.counter.count };
  }
}
