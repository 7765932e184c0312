/**
 * Very many clients at once: they are all served, with little memory for each, and one more than there is room for harms nobody.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack } from '../attack.js';
import { askAll, burst, disperse, gather, lookAround } from '../acts/crowd.js';
import type { ClientProcess } from '../client-process.js';
import type { Stage } from '../stage.js';
import { served } from '../unharmed.js';
import { allOf, atMost, grouped, holds, type Verdict } from '../verdict.js';

/** Each process of clients has descriptors for fewer than 20,000. */
const PROCESSES = 2;
const WITHIN_MS = 20_000;
const RSS_KIB = 25;
const KIB = 1_024;

const CROWDED = { MAX_CONNECTIONS: '1000000', MAX_CONNECTIONS_PER_ADDRESS: '1000000' };

const crowd10k: Attack = {
  name: 'crowd',
  title: '10,000 clients at once, each asks once within 5 s',
  service: { settings: { MAX_CONNECTIONS: '10100', MAX_CONNECTIONS_PER_ADDRESS: '10100' } },
  run: async (stage) => {
    const count = stage.sized(10_000, PROCESSES);
    await stage.warmUp();
    const before = await stage.service.collected();
    const crowds = await gathered(stage, count);
    const connected = await stage.service.collected();
    const overMs = stage.sized(5_000);
    const watched = await stage.watch(() =>
      each(crowds, (crowd) => stage.perform(askAll, { overMs, withinMs: WITHIN_MS }, crowd)),
    );
    const asked = watched.result;
    const spoken = await stage.service.collected();
    return [
      allOf('every one of them is answered', sum(asked, 'answered'), count),
      holds(
        'a `TIME` among them takes less than 200 ms (p99)',
        Math.max(...asked.map(({ p99 }) => p99)) < 200,
        `p50 ${worst(asked, 'p50')}, p99 ${worst(asked, 'p99')}, max ${worst(asked, 'max')} ms`,
      ),
      ...served(watched, 200),
      ...memoryOfEach(count, before, connected, spoken),
      ...(await leave(stage, crowds)),
    ];
  },
};

const crowd19k: Attack = {
  name: 'crowd-full',
  title:
    '19,000 clients at once, who ask at the same time; then 4,000 more, not for all of whom there are descriptors',
  service: { settings: CROWDED },
  run: async (stage) => {
    const count = stage.sized(19_000, PROCESSES);
    await stage.warmUp();
    const before = await stage.service.collected();
    const crowds = await gathered(stage, count);
    const connected = await stage.service.collected();
    const asked = await each(crowds, (crowd) =>
      stage.perform(askAll, { overMs: 0, withinMs: WITHIN_MS }, crowd),
    );
    const spoken = await stage.service.collected();
    const seconds = Math.max(...asked.map((crowd) => crowd.seconds));
    const late = await stage.clients();
    const more = stage.sized(4_000);
    await stage.perform(gather, { count: more, atOnce: 200 }, late);
    await sleep(stage.sized(2_000));
    const { open, full, silent } = await stage.perform(lookAround, null, late);
    const again = await each(crowds, (crowd) =>
      stage.perform(askAll, { overMs: 0, withinMs: WITHIN_MS }, crowd),
    );
    return [
      allOf(
        `every one of them is answered (all within ${seconds.toFixed(1)} s)`,
        sum(asked, 'answered'),
        count,
      ),
      ...memoryOfEach(count, before, connected, spoken),
      holds(
        'whom there is no room for is told so, and closed',
        open + full === more && silent === 0,
        `of ${grouped(more)} more ${grouped(open)} are served, ${grouped(full)} told that it is full, ${grouped(silent)} closed without a word`,
      ),
      allOf('those who were there before are still served', sum(again, 'answered'), count),
      ...(await leave(stage, [...crowds, late])),
    ];
  },
};

const burst300: Attack = {
  name: 'burst',
  title: '300 clients come in the same instant and ask',
  run: async (stage) => {
    const count = stage.sized(300);
    const observed = await stage.observe(() => stage.perform(burst, { count }));
    const { answered, seconds } = observed.result;
    return [
      allOf('every one of them is answered', answered, count),
      holds('all of them within 1 s', seconds < 1, `${(seconds * 1_000).toFixed(0)} ms`),
      ...served(observed, 100),
    ];
  },
};

/** In processes of their own, which share them. */
async function gathered(stage: Stage, count: number): Promise<ClientProcess[]> {
  const crowds = await Promise.all(Array.from({ length: PROCESSES }, () => stage.clients()));
  for (const [index, crowd] of crowds.entries()) {
    const own = Math.floor((count + index) / PROCESSES);
    const { failed } = await stage.perform(gather, { count: own, atOnce: 200 }, crowd);
    if (failed > 0) throw new Error(`${failed} of ${own} clients could not connect`);
  }
  return crowds;
}

function each<Told>(
  crowds: readonly ClientProcess[],
  something: (crowd: ClientProcess) => Promise<Told>,
): Promise<Told[]> {
  return Promise.all(crowds.map(something));
}

/** When they have gone, so have their connections, and others are served. */
async function leave(stage: Stage, crowds: readonly ClientProcess[]): Promise<Verdict[]> {
  await each(crowds, (crowd) => stage.perform(disperse, null, crowd));
  const left = await stage.untilOnly(0);
  const { answered } = await stage.perform(burst, { count: 10 });
  return [
    holds('when they have gone no connection is left', left === 0, `${left} connections`),
    allOf('and newcomers are served', answered, 10),
  ];
}

interface Memory {
  readonly rssMib: number;
}

function memoryOfEach(count: number, before: Memory, connected: Memory, spoken: Memory): Verdict[] {
  const kib = (after: Memory): number => ((after.rssMib - before.rssMib) * KIB) / count;
  return [
    atMost('memory of a connection that has said nothing', kib(connected), RSS_KIB, 'KiB'),
    atMost('memory of one that has asked', kib(spoken), RSS_KIB, 'KiB'),
  ];
}

function sum<Name extends string>(told: readonly Record<Name, number>[], name: Name): number {
  return told.reduce((all, each_) => all + each_[name], 0);
}

function worst<Name extends string>(told: readonly Record<Name, number>[], name: Name): string {
  return Math.max(...told.map((crowd) => crowd[name])).toFixed(1);
}

export const CROWD_ATTACKS: readonly Attack[] = [crowd10k, crowd19k, burst300];
