/**
 * Numbers: a schema that makes numbers of the words of a line. Any Standard Schema would do; this one is valibot's.
 */
import * as v from 'valibot';

const NumberWord = v.pipe(
  v.string(),
  v.decimal(({ received }) => `${received} is no number`),
  v.transform(Number),
);

export const Numbers = v.pipe(v.array(NumberWord), v.minLength(1, 'give at least one number'));
