/**
 * The system has no descriptors left: those who are served are served on, nothing spins, and the log is not flooded.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack } from '../attack.js';
import { askAll, disperse, gather, lookAround } from '../acts/crowd.js';
import { firstLine, isInstalled } from '../../bench/programs.js';
import type { Stage } from '../stage.js';
import { allOf, grouped, holds, type Verdict } from '../verdict.js';

const LIMIT = 128;
const KEPT = 20;
const MORE = 310;
const WATCHED_MS = 2_000;
const CPU_SECONDS = 1;
const WITHIN_MS = 5_000;
const RECOVERY_MS = 15_000;
/** Lines of the log for one client that comes and goes: connected, begun, ended, over. */
const LINES_EACH = 4;
/** What else happens: the start, and that the descriptors are used up. */
const OTHER_LINES = 30;

const LOGGED = { LOG_LEVEL: 'info', LOG_FORMAT: 'json', LOG_REQUESTS: 'false' };

async function run(stage: Stage, takeAway: (stage: Stage) => void): Promise<Verdict[]> {
  const [kept, more] = [await stage.clients(), await stage.clients()];
  await stage.perform(gather, { count: KEPT, atOnce: KEPT }, kept);
  await stage.perform(askAll, { overMs: 0, withinMs: WITHIN_MS }, kept); // then they are not only connected, but accepted
  takeAway(stage);
  await stage.perform(gather, { count: MORE, atOnce: MORE }, more);
  const before = stage.service.cpuSeconds();
  await sleep(WATCHED_MS);
  const cpu = stage.service.cpuSeconds() - before;
  const { open, full, silent } = await stage.perform(lookAround, null, more);
  const { answered } = await stage.perform(askAll, { overMs: 0, withinMs: WITHIN_MS }, kept);
  await stage.perform(disperse, null, more);
  const recoveryMs = await untilServed(stage);
  const log = stage.service.printed();
  const lines = log.split('\n').length - 1;
  const mostLines = (KEPT + MORE + 20) * LINES_EACH + OTHER_LINES;
  return [
    holds(
      'it lives',
      stage.service.isAlive,
      `of ${MORE} more ${open} are served, ${full} told that it is full, ${silent} closed without a word`,
    ),
    allOf('those who were there before are still served', answered, KEPT),
    holds(
      `it takes less than ${CPU_SECONDS} s of processor time in ${WATCHED_MS / 1_000} s`,
      cpu < CPU_SECONDS,
      `${cpu.toFixed(2)} s`,
    ),
    holds(
      `newcomers are served within ${RECOVERY_MS / 1_000} s of the others leaving`,
      recoveryMs <= RECOVERY_MS,
      `${recoveryMs.toFixed(0)} ms`,
    ),
    holds(
      `the log has at most ${LINES_EACH} lines for a client, and one that descriptors are used up`,
      lines <= mostLines && occurrences(log, '"serverFailed"') <= 1,
      `${grouped(lines)} lines, ${grouped(log.length)} bytes, ${occurrences(log, '"serverFailed"')} of them that the socket failed`,
    ),
  ];
}

/** @returns milliseconds until a newcomer got an answer */
async function untilServed(stage: Stage): Promise<number> {
  const begun = performance.now();
  const newcomer = await stage.clients();
  for (;;) {
    await stage.perform(gather, { count: 1, atOnce: 1 }, newcomer);
    const { answered } = await stage.perform(askAll, { overMs: 0, withinMs: 1_000 }, newcomer);
    const ms = performance.now() - begun;
    if (answered > 0 || ms > RECOVERY_MS) return ms;
    await stage.perform(disperse, null, newcomer);
  }
}

function occurrences(text: string, part: string): number {
  return text.split(part).length - 1;
}

/** Under the feet of a process that counted on them. */
function takeAwayDescriptors({ service }: Stage): void {
  const limit = service.vitals().descriptors + 20;
  if (
    firstLine('prlimit', ['--pid', String(service.pid), `--nofile=${limit}:${limit}`]) === undefined
  ) {
    throw new Error('prlimit failed');
  }
}

const known: Attack = {
  name: 'descriptors',
  title: `${MORE} clients come to a service that may open ${LIMIT} files (\`ulimit -n ${LIMIT}\`) and serves ${KEPT}`,
  service: { settings: LOGGED, maxDescriptors: LIMIT },
  run: (stage) => run(stage, () => undefined),
};

const takenAway: Attack = {
  name: 'descriptors-lost',
  title: `${MORE} clients come to a service that serves ${KEPT} and has just lost all but 20 of its free descriptors (\`prlimit\`)`,
  service: { settings: LOGGED },
  run: (stage) => run(stage, takeAwayDescriptors),
};

export const DESCRIPTOR_ATTACKS: readonly Attack[] = isInstalled('prlimit')
  ? [known, takenAway]
  : [known];
