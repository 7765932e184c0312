/**
 * `npm run bench`: what the service costs beside bare `node:net` and other servers, on this machine, in one run. Options, servers
 * and scenarios: bench/README.md.
 */
import { measureAll } from './measure.js';
import { benchOptions } from './options.js';
import { page, writePage } from './page.js';
import { CORES, stayOn } from './programs.js';
import { readSaved, type Saved, writeSaved } from './saved.js';
import { scenariosOf } from './scenarios.js';
import { versions } from './versions.js';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1)); // and so do the servers, see ServerProcess
}
const options = benchOptions(process.argv.slice(2));
const scenarios = scenariosOf(options.only);
const saved = options.from === undefined ? await measured() : readSaved(options.from);
if (options.save !== undefined) writeSaved(options.save, saved);
const text = page(scenarios, saved);
console.log(text);
if (options.write) await writePage(text, saved);

async function measured(): Promise<Saved> {
  stayOn(CORES.generator);
  const rounds = options.rounds === 1 ? '1 round' : `${options.rounds} rounds`;
  return {
    command: options.command,
    size: `${rounds} of ${options.seconds} s`,
    versions: versions(),
    results: await measureAll(scenarios, options),
  };
}
