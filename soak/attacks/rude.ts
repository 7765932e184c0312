/**
 * Clients that come and go badly: nothing is left of them, and nobody else notices.
 */
import type { Act } from '../act.js';
import type { Attack } from '../attack.js';
import { endlessLine } from '../acts/endless.js';
import { churn, noise, resets, resetsUnderWrite } from '../acts/rude.js';
import { cleared, served } from '../unharmed.js';
import { allOf, atMost, grouped, holds } from '../verdict.js';

const P99_MS = 50;
const GROWTH_MIB = 40;

interface Ends {
  readonly ended: number;
  readonly failed: number;
}

function rude(
  name: string,
  title: string,
  count: number,
  [act, promise]: readonly [Act<{ count: number }, Ends>, string],
): Attack {
  return {
    name,
    title: `${grouped(count)} ${title}`,
    run: async (stage) => {
      const task = { count: stage.sized(count) };
      const observed = await stage.observe(() => stage.perform(act, task));
      return [
        allOf(promise, observed.result.ended, task.count),
        atMost('growth of the process', observed.growthMib, GROWTH_MIB, 'MiB'),
        ...served(observed, P99_MS),
        ...cleared(observed),
      ];
    },
  };
}

const endless: Attack = {
  name: 'endless-line',
  title: 'A client sends 1 GiB in one line, then `TIME`',
  run: async (stage) => {
    const task = { mib: stage.sized(1_024) };
    const observed = await stage.observe(() => stage.perform(endlessLine, task));
    const { isAnswered, received, seconds } = observed.result;
    return [
      holds(
        'it is told once that the line is too long, and then the time',
        isAnswered,
        isAnswered ? `yes, after ${seconds.toFixed(1)} s` : JSON.stringify(received),
      ),
      atMost('growth of the process', observed.growthMib, GROWTH_MIB, 'MiB'),
      ...served(observed, P99_MS),
      ...cleared(observed),
    ];
  },
};

const TAKEN = 'all of them could connect and cut';

export const RUDE_ATTACKS: readonly Attack[] = [
  rude('resets', 'clients cut their connection (RST) at any moment', 1_000, [resets, TAKEN]),
  rude('resets-under-write', 'clients cut their connection while they are written to', 500, [
    resetsUnderWrite,
    TAKEN,
  ]),
  rude('churn', 'clients connect and close', 5_000, [churn, 'all of them end with a FIN']),
  rude('noise', 'clients send random bytes', 500, [noise, 'all of them end with a FIN']),
  endless,
];
