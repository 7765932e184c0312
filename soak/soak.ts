/**
 * The soak: every kind of client at once, for as long as one likes, and whether the service grows by it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { mingle, type Visits } from './acts/mingle.js';
import { Service } from './service.js';
import { slopeOf } from './slope.js';
import { Stage } from './stage.js';
import { served } from './unharmed.js';
import { grouped, holds, type Verdict } from './verdict.js';
import type { Vitals } from './vitals.js';

/** Limits of time that are short, so that they are reached all the time. */
const SETTINGS = { LINE_TIMEOUT_MS: '5000', WRITE_TIMEOUT_MS: '5000', IDLE_TIMEOUT_MS: '20000' };
const P99_MS = 100;
const SAMPLES = 25;
/** The part of the time at the beginning that is not counted: buffers and caches are as large then as they will be. */
const WARM_UP = 0.2;
/** What memory may grow by, in MiB for ten minutes; by less it cannot be told from none. */
const GROWTH_MIB = 1;
const TEN_MINUTES_S = 600;
/** In less time memory comes and goes by more than it may grow; then it may have grown by so much in all. */
const LEAST_MINUTES = 15;
const SHORT_GROWTH_MIB = 10;
/** So many standard errors are chance. */
const CHANCE = 2;
/** So long the last visits may take to end; a bound, not a promise. */
const END_MS = 60_000;
const SPARE_DESCRIPTORS = 10;

/** What the service was like at a time, when what could be collected was. */
export interface Sample extends Vitals {
  /** Since the beginning. */
  readonly seconds: number;
  readonly heapMib: number;
  /** Processor time since the sample before, in parts of the time. */
  readonly busy: number;
}

export interface Soaked {
  readonly minutes: number;
  readonly samples: readonly Sample[];
  readonly visits: readonly Visits[];
  readonly verdicts: readonly Verdict[];
}

/** @param tell is told each sample when it is taken */
export async function soak(minutes: number, tell: (sample: Sample) => void): Promise<Soaked> {
  const service = await Service.start({ settings: SETTINGS });
  const stage = new Stage(service, 1);
  try {
    await stage.warmUp();
    const before = stage.service.vitals();
    const seconds = minutes * 60;
    const withinMs = seconds * 1_000 + END_MS;
    const watched = await stage.watch(() =>
      Promise.all([
        takeSamples(stage, seconds, tell),
        stage.perform(mingle, { who: 'good', seconds }, undefined, withinMs),
        stage.perform(mingle, { who: 'bad', seconds }, undefined, withinMs),
      ]),
    );
    const [samples, ...visits] = watched.result;
    await stage.untilOnly(before.connections);
    const verdicts = [
      ...served(watched, P99_MS),
      ...visits.flat().map(isServedWell),
      ...hasNotGrown(
        samples.filter((sample) => sample.seconds > WARM_UP * seconds),
        minutes,
      ),
      isBack(before, stage.service.vitals()),
    ];
    return { minutes, samples, visits: visits.flat(), verdicts };
  } finally {
    await stage.close();
    await service.stop();
  }
}

async function takeSamples(
  { service }: Stage,
  seconds: number,
  tell: (sample: Sample) => void,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  const begun = performance.now();
  let [at, cpu] = [0, service.cpuSeconds()];
  const everyMs = (seconds * 1_000) / SAMPLES;
  const until = begun + seconds * 1_000 - everyMs; // the last one while clients are there
  while (performance.now() < until) {
    const sinceLast = performance.now() - begun - at * 1_000;
    await sleep(Math.max(0, everyMs - sinceLast));
    const { rssMib, heapMib } = await service.collected();
    const [now, cpuNow] = [(performance.now() - begun) / 1_000, service.cpuSeconds()];
    const busy = (cpuNow - cpu) / (now - at);
    const sample = { ...service.vitals(), seconds: now, rssMib, heapMib, busy };
    [at, cpu] = [now, cpuNow];
    samples.push(sample);
    tell(sample);
  }
  return samples;
}

function isServedWell({ name, visits, faults, fault }: Visits): Verdict {
  return holds(
    `every client that ${name} is treated as it must be`,
    faults === 0,
    `${grouped(visits - faults)} of ${grouped(visits)} visits${fault === undefined ? '' : `; ${fault}`}`,
  );
}

function hasNotGrown(samples: readonly Sample[], minutes: number): Verdict[] {
  const kinds = [
    ['memory', 'rssMib'],
    ["V8's heap", 'heapMib'],
  ] as const;
  return kinds.map(([name, kind]) => {
    const { slope, error } = slopeOf(
      samples.map((sample) => [sample.seconds / TEN_MINUTES_S, sample[kind]]),
    );
    const chance = CHANCE * error;
    const measured = `${slope.toFixed(1)} ± ${chance.toFixed(1)} MiB in ten minutes`;
    if (minutes >= LEAST_MINUTES) {
      const promise = `${name} grows by at most ${GROWTH_MIB} MiB in ten minutes, but for chance`;
      return holds(promise, slope - chance <= GROWTH_MIB, measured);
    }
    const grown = (slope * (1 - WARM_UP) * minutes * 60) / TEN_MINUTES_S;
    const promise = `${name} grows by at most ${SHORT_GROWTH_MIB} MiB in so short a time`;
    return holds(promise, grown <= SHORT_GROWTH_MIB, `${grown.toFixed(1)} MiB (${measured})`);
  });
}

function isBack(before: Vitals, after: Vitals): Verdict {
  const { connections, descriptors } = after;
  return holds(
    `afterwards connections are as before, and descriptors within ${SPARE_DESCRIPTORS} of that`,
    connections === before.connections &&
      Math.abs(descriptors - before.descriptors) <= SPARE_DESCRIPTORS,
    `${connections} and ${before.connections} connections, ${descriptors} and ${before.descriptors} descriptors`,
  );
}
