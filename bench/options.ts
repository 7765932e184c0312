/**
 * What `npm run bench` is told on its command line; bench/README.md describes it.
 */
import { parseArgs } from 'node:util';
import type { Duration } from './generator.js';
import type { IdleOptions } from './idle.js';

export interface BenchOptions extends Duration {
  /** How it was called, but for the names of files. */
  readonly command: string;
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
  const { values, tokens } = parseArgs({
    tokens: true,
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
    command: ['npm run bench', ...tokens.flatMap(asTyped)].join(' ').replace('bench ', 'bench -- '),
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

interface Token {
  readonly kind: string;
  readonly name?: string;
  readonly value?: string | undefined;
}

function asTyped({ kind, name = '', value }: Token): string[] {
  if (kind !== 'option' || name === 'save' || name === 'from') return [];
  return value === undefined
    ? [`--${name}`]
    : [`--${name} ${/\s/.test(value) ? `"${value}"` : value}`];
}
