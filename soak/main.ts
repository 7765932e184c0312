/**
 * `npm run soak`: what the service promises, held against clients that wish it ill. Options, method and attacks: README.md.
 */
import { ATTACKS, carryOut } from './attacks.js';
import { soakOptions } from './options.js';
import { attacksSection, sampleLine, soakSection, writeSection } from './page.js';
import { soak } from './soak.js';
import type { Verdict } from './verdict.js';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1)); // and so do the service and its clients
}
const attackNames = ATTACKS.map(({ name }) => name);
const options = soakOptions(process.argv.slice(2));
const section = options.attacks.length === 0 ? await soaked() : await attacked(options.attacks);
console.log(section);
if (options.write) await writeSection(section);

async function soaked(): Promise<string> {
  const result = await soak(options.minutes, (sample) => console.error(sampleLine(sample)));
  tell('soak', result.verdicts);
  return soakSection(result, options);
}

async function attacked(names: readonly string[]): Promise<string> {
  const unknown = names.filter((name) => name !== 'all' && !attackNames.includes(name));
  if (unknown.length > 0) {
    throw new RangeError(`No attack is called ${unknown.join()}. There are ${attackNames.join()}.`);
  }
  const attacks = ATTACKS.filter(({ name }) => names.includes('all') || names.includes(name));
  const outcomes = await carryOut(attacks, options.scale, ({ attack, verdicts }) =>
    tell(attack.name, verdicts),
  );
  return attacksSection(outcomes, options);
}

/** While it goes on; a promise that is not kept makes the exit code 1. */
function tell(name: string, verdicts: readonly Verdict[]): void {
  for (const { promise, measured, isMet } of verdicts) {
    console.error(`${isMet ? 'met   ' : 'BROKEN'} ${name}: ${promise}: ${measured}`);
    if (!isMet) process.exitCode = 1;
  }
}
