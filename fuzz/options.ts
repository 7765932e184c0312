/**
 * What `npm run fuzz` is told on its command line; fuzz/README.md describes it.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

export interface FuzzOptions {
  readonly seconds: number;
  readonly seed: number;
  /** Where new inputs go. Those that fail go to a folder beside it. */
  readonly out: string;
  /** Inputs to be shown and played, in the place of fuzzing. */
  readonly files: readonly string[];
  /** Whether what was found is added to the corpus, and nothing is fuzzed. */
  readonly merge: boolean;
}

export function fuzzOptions(args: readonly string[]): FuzzOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      seconds: { type: 'string', default: '60' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 32) },
      out: { type: 'string', default: join(tmpdir(), 'line-transport-fuzz') },
      merge: { type: 'boolean', default: false },
    },
  });
  const { out, merge } = values;
  return {
    seconds: Number(values.seconds),
    seed: Number(values.seed),
    out,
    merge,
    files: positionals,
  };
}
