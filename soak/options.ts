/**
 * What `npm run soak` is told on its command line; README.md describes it.
 */
import { parseArgs } from 'node:util';

export interface SoakOptions {
  /** How it was called. */
  readonly command: string;
  /** The name of an attack, or all of them; `undefined` is the soak itself. */
  readonly attack: string | undefined;
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
      attack: { type: 'string' },
      minutes: { type: 'string', default: '5' },
      scale: { type: 'string', default: '1' },
      write: { type: 'boolean', default: false },
    },
  });
  return {
    command: ['npm run soak --', ...args].join(' '),
    attack: values.attack,
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
