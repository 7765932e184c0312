/**
 * `npm run bench`: what the service costs beside bare `node:net` and other servers, on this machine, in one run. Options, servers
 * and scenarios: bench/README.md.
 */
import { measureAll } from './measure.js';
import { benchOptions, type BenchOptions } from './options.js';
import { page, writePage } from './page.js';
import { CORES, stayOn } from './programs.js';
import { readSaved, type Saved, writeSaved } from './saved.js';
import { type Scenario, SCENARIOS } from './scenarios.js';
import { versions } from './versions.js';

async function measured(args: readonly string[], options: BenchOptions): Promise<Saved> {
  stayOn(CORES.generator);
  const rounds = options.rounds === 1 ? '1 round' : `${options.rounds} rounds`;
  return {
    size: `${rounds} of ${options.seconds} s`,
    command: ['npm run bench', ...(args.length === 0 ? [] : ['--', ...args])].join(' '),
    versions: versions(),
    results: await measureAll(chosen(options), options),
  };
}

function chosen({ only }: BenchOptions): Scenario[] {
  return SCENARIOS.filter(
    ({ title }) => only.length === 0 || only.some((part) => title.toLowerCase().includes(part)),
  );
}

const args = process.argv.slice(2);
const options = benchOptions(args);
const saved = options.from === undefined ? await measured(args, options) : readSaved(options.from);
if (options.save !== undefined) writeSaved(options.save, saved);
const text = page(chosen(options), saved);
console.log(text);
if (options.write) await writePage(text, saved);
