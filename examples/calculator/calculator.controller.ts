/**
 * CalculatorController: words that become numbers before a method sees them, or an error line that says why not.
 */
import { Controller, ParseFloatPipe, ParseIntPipe } from '@nestjs/common';
import { Arg, Args, Command, type LineReply } from '../../src/line-transport/index.js';
import { DivisionByZero } from './division-by-zero.js';
import { Numbers } from './numbers.js';

@Controller()
export class CalculatorController {
  /** Named words, each with a pipe of Nest's. */
  @Command('ADD', { args: ['a', 'b'] })
  add(@Arg('a', ParseFloatPipe) a: number, @Arg('b', ParseFloatPipe) b: number): LineReply {
    return a + b;
  }

  /** Whole numbers: the quotient and what remains, on two lines. */
  @Command('DIV', { args: ['dividend', 'divisor'] })
  divide(
    @Arg('dividend', ParseIntPipe) dividend: number,
    @Arg('divisor', ParseIntPipe) divisor: number,
  ): LineReply {
    if (divisor === 0) throw new DivisionByZero();
    return [String(Math.trunc(dividend / divisor)), `REMAINDER ${dividend % divisor}`];
  }

  /** Any number of words, all of them held against one schema. */
  @Command('SUM', { args: 'words' })
  sum(@Args({ schema: Numbers }) numbers: number[]): LineReply {
    return numbers.reduce((sum, number) => sum + number, 0);
  }
}
