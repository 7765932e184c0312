/**
 * What `npm run bench` is told on its command line; bench/README.md describes it.
 */
import { parseArgs } from 'node:util';
import type { Duration } from './generator.js';
import type { IdleOptions } from './idle.js';

export interface BenchOptions extends Duration {
  readonly rounds: number;
  /** Scenarios whose title does not contain one of these are left out. */
  readonly only: readonly string[];
  readonly idle: IdleOptions;
  /** Whether the results and the chart of the repository are written. */
  readonly write: boolean;
  /** Files of measurements: to write to, and to read from in the place of measuring. */
  readonly save: string | undefined;
  readonly from: string | undefined;
}

const QUICK = { rounds: '1', seconds: '0.5', 'warm-up': '0.3', connections: '2000' };
const FULL = { rounds: '3', seconds: '3', 'warm-up': '1', connections: '19000' };

export function benchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      connections: { type: 'string' },
      'young-mib': { type: 'string', default: '1' },
      only: { type: 'string', multiple: true, default: [] },
      quick: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      save: { type: 'string' },
      from: { type: 'string' },
    },
  });
  const preset = values.quick ? QUICK : FULL;
  const number = (name: keyof typeof preset): number => Number(values[name] ?? preset[name]);
  return {
    rounds: number('rounds'),
    seconds: number('seconds'),
    warmUp: number('warm-up'),
    only: values.only.map((part) => part.toLowerCase()),
    idle: { connections: number('connections'), youngMib: Number(values['young-mib']) },
    write: values.write,
    save: values.save,
    from: values.from,
  };
}
