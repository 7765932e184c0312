/**
 * `npm run soak`: what the service promises, held against clients that wish it ill. Options, method and attacks: README.md.
 */
import { ATTACKS, carryOut, type Outcome } from './attacks.js';
import { soakOptions } from './options.js';
import { attacksSection, writeSection } from './page.js';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => process.exit(1)); // and so do the service and its clients
}
const options = soakOptions(process.argv.slice(2));
const { attack: name = 'all' } = options;
const attacks = ATTACKS.filter((attack) => name === 'all' || attack.name === name);
if (attacks.length === 0) {
  const names = ATTACKS.map((attack) => attack.name).join(', ');
  throw new RangeError(`There is no attack ${name}; there are ${names}.`);
}
const outcomes: Outcome[] = [];
for (const attack of attacks) {
  const outcome = await carryOut(attack, options.scale);
  outcomes.push(outcome);
  for (const { promise, measured, isMet } of outcome.verdicts) {
    console.error(`${isMet ? 'met   ' : 'BROKEN'} ${attack.name}: ${promise}: ${measured}`);
    if (!isMet) process.exitCode = 1;
  }
}
const section = attacksSection(outcomes, options);
console.log(section);
if (options.write) await writeSection('Attacks', section);
