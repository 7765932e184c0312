/**
 * Every attack, in the order of the page.
 */
import type { Attack } from './attack.js';
import { CROWD_ATTACKS } from './attacks/crowds.js';
import { DESCRIPTOR_ATTACKS } from './attacks/descriptors.js';
import { PIPELINE_ATTACKS } from './attacks/pipelines.js';
import { RUDE_ATTACKS } from './attacks/rude.js';
import { SLOW_ATTACKS } from './attacks/slow.js';
import { STOP_ATTACKS } from './attacks/stops.js';
import { UNREAD_ATTACKS } from './attacks/unread.js';
import { Stage } from './stage.js';
import { holds, type Verdict } from './verdict.js';

export const ATTACKS: readonly Attack[] = [
  ...UNREAD_ATTACKS,
  ...SLOW_ATTACKS,
  ...RUDE_ATTACKS,
  ...CROWD_ATTACKS,
  ...DESCRIPTOR_ATTACKS,
  ...PIPELINE_ATTACKS,
  ...STOP_ATTACKS,
];

/** What came of an attack. */
export interface Outcome {
  readonly attack: Attack;
  readonly verdicts: readonly Verdict[];
}

/** Each on a service of its own. An attack that cannot be carried out to its end is a promise that is not kept. */
export async function carryOut(attack: Attack, scale: number): Promise<Outcome> {
  let stage: Stage | undefined;
  try {
    stage = await Stage.open(attack.service ?? {}, scale);
    return { attack, verdicts: await attack.run(stage) };
  } catch (error) {
    const { isAlive = false } = stage?.service ?? {};
    const promise = 'the attack can be carried out to its end';
    const where = isAlive ? '' : 'the service has ended: ';
    return { attack, verdicts: [holds(promise, false, where + String(error))] };
  } finally {
    await stage?.close();
  }
}
