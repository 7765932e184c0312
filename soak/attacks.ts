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
import { Service } from './service.js';
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

/**
 * Each on a service of its own; those smaller than they should be on one, where they ask for no other.
 * @param tell is told what came of each as soon as that is known
 */
export async function carryOut(
  attacks: readonly Attack[],
  scale: number,
  tell: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const shared = scale < 1 ? await Service.start({}) : undefined;
  const outcomes: Outcome[] = [];
  try {
    for (const attack of attacks) {
      const isAtHome = attack.service === undefined && shared !== undefined;
      const verdicts = isAtHome
        ? await carryOutOn(shared, attack, scale)
        : await carryOutAlone(attack, scale);
      outcomes.push({ attack, verdicts });
      tell({ attack, verdicts });
    }
  } finally {
    await shared?.stop();
  }
  return outcomes;
}

async function carryOutAlone(attack: Attack, scale: number): Promise<readonly Verdict[]> {
  let service: Service;
  try {
    service = await Service.start(attack.service ?? {});
  } catch (error) {
    return [holds('the service starts', false, String(error))];
  }
  try {
    return await carryOutOn(service, attack, scale);
  } finally {
    await service.stop();
  }
}

/** An attack that cannot be carried out to its end is a promise that is not kept. */
async function carryOutOn(
  service: Service,
  attack: Attack,
  scale: number,
): Promise<readonly Verdict[]> {
  const stage = new Stage(service, scale);
  try {
    return await attack.run(stage);
  } catch (error) {
    const where = service.isAlive ? '' : 'the service has ended: ';
    return [holds('the attack can be carried out to its end', false, where + String(error))];
  } finally {
    await stage.close();
  }
}
