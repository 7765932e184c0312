/**
 * Counter: the one count that lines and HTTP share, and the schema of what it is raised by.
 */
import { Injectable } from '@nestjs/common';
import * as v from 'valibot';

export const Raise = v.object({
  by: v.optional(
    v.pipe(v.string(), v.digits('is no whole number'), v.maxLength(6), v.transform(Number)),
    '1',
  ),
});
export type Raise = v.InferOutput<typeof Raise>;

@Injectable()
export class Counter {
  count = 0;

  raise({ by }: Raise): number {
    this.count += by;
    return this.count;
  }
}
