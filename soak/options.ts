/**
 * What `npm run soak` is told on its command line; README.md describes it.
 */
import { parseArgs } from 'node:util';

export interface SoakOptions {
  /** How it was called. */
  readonly command: string;
  /** The names of attacks, or `all`; none is the soak itself. */
  readonly attacks: readonly string[];
  readonly minutes: number;
  /** The part of their full size that attacks have. */
  readonly scale: number;
  /** Whether the page of results is written. */
  readonly write: boolean;
}

export function soakOptions(args: readonly string[]): SoakOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      attack: { type: 'string', multiple: true, default: [] },
      minutes: { type: 'string', default: '5' },
      scale: { type: 'string', default: '1' },
      write: { type: 'boolean', default: false },
    },
  });
  return {
    command: ['npm run soak --', ...args].join(' '),
    attacks: values.attack,
    minutes: positive('minutes', values.minutes, 24 * 60),
    scale: positive('scale', values.scale, 1),
    write: values.write,
  };
}

function positive(name: string, text: string, most: number): number {
  const number = Number(text);
  if (number > 0 && number <= most) return number;
  throw new RangeError(`--${name} must be more than 0 and at most ${most}, not ${text}`);
}
