/**
 * Clients that take their time with a line: they take nobody else's, and not for ever.
 */
import type { Attack } from '../attack.js';
import { setTimeout as sleep } from 'node:timers/promises';
import { drip, dropHalfLines, openHalfLines, type } from '../acts/slow.js';
import { cleared, served } from '../unharmed.js';
import { allOf, holds } from '../verdict.js';
import { TIME_REPLY_FORM, TOO_LATE_REPLY } from '../words.js';

const P99_MS = 50;
const LINE_TIMEOUT_MS = 2_000;
/** Limits of time are looked at every now and then; they may be exceeded by so much. */
const LATE_MS = 1_000;

const halfLines: Attack = {
  name: 'half-lines',
  title: '200 clients send half a line each, and then nothing for 10 s',
  run: async (stage) => {
    const count = stage.sized(200);
    const slow = await stage.clients();
    const observed = await stage.observe(async () => {
      await stage.perform(openHalfLines, { count }, slow);
      await sleep(stage.sized(10_000));
      return stage.perform(dropHalfLines, null, slow);
    });
    return [
      allOf('they may take their time', observed.result.open, count),
      ...served(observed, P99_MS),
      ...cleared(observed),
    ];
  },
};

const drips: Attack = {
  name: 'drip',
  title: `50 clients send a byte a second and never the end of the line (LINE_TIMEOUT_MS=${LINE_TIMEOUT_MS})`,
  service: { settings: { LINE_TIMEOUT_MS: String(LINE_TIMEOUT_MS) } },
  run: async (stage) => {
    const honest = await stage.clients();
    const observed = await stage.observe(async () =>
      Promise.all([
        stage.perform(drip, { count: stage.sized(50), everyMs: 1_000 }),
        stage.perform(type, { everyMs: LINE_TIMEOUT_MS / 8 }, honest),
      ]),
    );
    const [{ endedAfterMs, words }, { reply }] = observed.result;
    const [first, last] = [Math.min(...endedAfterMs), Math.max(...endedAfterMs)];
    return [
      holds(
        `each is ended after ${LINE_TIMEOUT_MS} ms, ${LATE_MS} ms more at the most, and told so`,
        first >= LINE_TIMEOUT_MS &&
          last <= LINE_TIMEOUT_MS + LATE_MS &&
          words.join() === TOO_LATE_REPLY,
        `after ${first.toFixed(0)} to ${last.toFixed(0)} ms, with ${JSON.stringify(words.join())}`,
      ),
      holds(
        'who types TIME key by key within that time is answered',
        TIME_REPLY_FORM.test(reply),
        JSON.stringify(reply),
      ),
      ...served(observed, P99_MS),
      ...cleared(observed),
    ];
  },
};

export const SLOW_ATTACKS: readonly Attack[] = [halfLines, drips];
