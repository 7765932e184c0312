/**
 * All kinds of clients at once, for a while.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from 'node:net';
import * as v from 'valibot';
import { act } from '../act.js';
import { below, type Random, randomFrom } from '../random.js';
import { dial } from '../sockets.js';
import { BAD_VISITORS, GOOD_VISITORS, type Visitor } from './visitors.js';

/** Between two visits of a client, at the most. */
const PAUSE_MS = 100;
/** When the time is over, visits that go on by then may take so long to end. */
const LAST_MS = 5_000;
const SEED = 27;

const Visits = v.object({
  name: v.string(),
  visits: v.number(),
  /** Visits in which the service did what it must not do. */
  faults: v.number(),
  /** What that was first. */
  fault: v.optional(v.string()),
});
export type Visits = v.InferOutput<typeof Visits>;

export const mingle = act(
  'mingle',
  {
    Task: v.object({ who: v.picklist(['good', 'bad']), seconds: v.number() }),
    Told: v.array(Visits),
  },
  (port, { who, seconds }) => {
    const visitors = who === 'good' ? GOOD_VISITORS : BAD_VISITORS;
    const until = Date.now() + seconds * 1_000;
    return Promise.all(
      visitors.map((visitor, index) => visitAgainAndAgain(port, visitor, until, SEED + index)),
    );
  },
);

async function visitAgainAndAgain(
  port: number,
  { name, count, visit }: Visitor,
  until: number,
  seed: number,
): Promise<Visits> {
  const told = { name, visits: 0, faults: 0, fault: undefined as string | undefined };
  const random = randomFrom(seed);
  const open = new Set<Socket>();
  const one = async (): Promise<void> => {
    while (Date.now() < until) {
      try {
        await visitOnce(port, visit, random, open);
      } catch (error) {
        // What is cut because the time is over is nobody's fault.
        if (Date.now() < until + LAST_MS) {
          told.faults++;
          told.fault ??= String(error);
        }
      }
      told.visits++;
      await sleep(below(PAUSE_MS, random));
    }
  };
  const all = Promise.all(Array.from({ length: count }, one));
  await Promise.race([all, sleep(until - Date.now() + LAST_MS)]);
  for (const socket of open) socket.destroy();
  await all;
  return told;
}

async function visitOnce(
  port: number,
  visit: Visitor['visit'],
  random: Random,
  open: Set<Socket>,
): Promise<void> {
  const socket = await dial(port);
  open.add(socket);
  try {
    await visit(socket, random);
  } finally {
    open.delete(socket);
    socket.destroy();
  }
}
