/**
 * Measures every server of the scenarios, round by round, so that what disturbs the machine for a while disturbs all alike. Knows
 * nothing of how the results are told.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { certificateIn } from './certificate.js';
import { contender, type Contender, type ContenderName } from './contenders.js';
import { Generator } from './generator.js';
import { idle } from './idle.js';
import type { BenchOptions } from './options.js';
import { CORES, isInstalled } from './programs.js';
import { type Results, type Sample, spread } from './samples.js';
import type { Scenario } from './scenarios.js';
import { ServerProcess } from './server-process.js';

/** How often a server is started for one measurement of its start. */
const STARTS = 3;
/** After the first reply, until its memory is looked at. */
const SETTLE_MS = 500;

/** What measurements need that is made once. */
interface Tools {
  readonly generator: Generator;
  /** Where TLS servers find their certificate; `undefined` if none can be made. */
  readonly tls: Readonly<Record<string, string>> | undefined;
}

export async function measureAll(
  scenarios: readonly Scenario[],
  options: BenchOptions,
): Promise<Results> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const results: Results = {};
  try {
    const tools = { generator: new Generator(folder), tls: certificateIn(folder) };
    for (let round = 0; round < options.rounds; round++) {
      for (const scenario of scenarios) {
        await measureRound(scenario, round, tools, options, results);
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return results;
}

async function measureRound(
  scenario: Scenario,
  round: number,
  tools: Tools,
  options: BenchOptions,
  results: Results,
): Promise<void> {
  const servers = scenario.servers.filter((name) => isThere(name, tools));
  for (let i = 0; i < servers.length; i++) {
    const name = servers[(i + round) % servers.length]; // no server is always the first or the last
    if (name === undefined) continue;
    const place = `round ${round + 1}, ${scenario.title}, ${name}`;
    try {
      const sample = await measure(name, scenario, tools, options);
      ((results[scenario.title] ??= {})[name] ??= {})[round] = sample;
      console.error(`${place}: ${inBrief(sample)}`);
    } catch (error) {
      process.exitCode = 1;
      console.error(`${place}:`, error);
    }
  }
}

function isThere(name: ContenderName, { tls }: Tools): boolean {
  const { program, isTls } = contender(name);
  return (program === undefined || isInstalled(program)) && !(isTls === true && tls === undefined);
}

async function measure(
  name: ContenderName,
  scenario: Scenario,
  { generator, tls }: Tools,
  options: BenchOptions,
): Promise<Sample> {
  if (scenario.kind === 'idle') return idle(contender(name), options.idle);
  if (scenario.kind === 'start') return starts(contender(name));
  const cores = scenario.kind === 'workers' ? CORES.twoWorkers : CORES.server;
  const server = await ServerProcess.start(contender(name), { cores, env: tls ?? {} });
  try {
    return await generator.load(server, scenario, options);
  } finally {
    await server.stop();
  }
}

/** The median of several: a start is short, and much else goes on in a second. */
async function starts(server: Contender): Promise<Sample> {
  const [times, sizes]: [number[], number[]] = [[], []];
  for (let i = 0; i < STARTS; i++) {
    const started = await ServerProcess.start(server);
    try {
      await sleep(SETTLE_MS);
      times.push(started.startMs);
      sizes.push(started.rssMiB());
    } finally {
      await started.stop();
    }
  }
  return {
    start: spread(times)?.median ?? Number.NaN,
    startRss: spread(sizes)?.median ?? Number.NaN,
  };
}

function inBrief(sample: Sample): string {
  return Object.entries(sample)
    .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
    .join(', ');
}
