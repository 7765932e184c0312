/**
 * Who can tell whether the machine's clock is synchronized, in the order in which they are asked, and how each says it. No privileges are
 * needed for any of them. Knows nothing of when they are asked.
 */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { ClockReport, ClockSource } from './clock-report.js';

const run = promisify(execFile);

/** What chrony says of leap seconds when it is synchronized; else it is `Not synchronised`, in its own spelling. */
const SYNCHRONIZED_LEAPS = new Set(['Normal', 'Insert second', 'Delete second']);
/** Touched at each successful synchronization (systemd-timesyncd.service(8), "Files"). */
const TIMESYNCD_FILE = '/run/systemd/timesync/synchronized';
/** Twice as long as timesyncd waits between two measurements at the most (PollIntervalMaxSec of timesyncd.conf(5), 2,048 s); chrony, half of that. */
const FRESH_MS = 2 * 2_048_000;
/** The bit of adjtimex(2)'s status that the kernel, or whoever keeps its clock, sets while it is not synchronized. */
const STA_UNSYNC = 0x40;
/** The reference of a chronyd that has no source but the clock itself (`local` of chrony.conf(5)). */
const CHRONY_LOCAL = '7F7F0101';

/** A file that is old says nothing: timesyncd was stopped, and another daemon may have taken over. */
export function timesyncd(file = TIMESYNCD_FILE): ClockSource {
  return async () => {
    try {
      const { mtimeMs } = await stat(file);
      const isFresh = Math.abs(Date.now() - mtimeMs) < FRESH_MS;
      return isFresh ? { state: 'synchronized', source: 'timesyncd' } : undefined;
    } catch {
      return undefined;
    }
  };
}

/** Asks a program; one that is not there, fails or does not answer in time has no say. */
export function program(
  [file, ...args]: readonly [string, ...string[]],
  parse: (said: string) => ClockReport | undefined,
): ClockSource {
  return async (signal) => {
    try {
      const { stdout } = await run(file, args, { signal, killSignal: 'SIGKILL' });
      return parse(stdout);
    } catch {
      return undefined;
    }
  };
}

/**
 * The one line of `chronyc -c tracking`: the fields of the report of chronyc(1), "tracking", in its order, separated by commas. The system
 * time is there as what is to be added to the clock. A chrony that has lost its servers says as before that all is well; only the time of its
 * last measurement grows old.
 * @param now milliseconds since 1970
 */
export function parseChrony(said: string, now: number = Date.now()): ClockReport | undefined {
  const fields = said.trim().split(',');
  const [reference, , , measuredAt, toAdd] = fields;
  const leap = fields[13];
  if (leap === undefined) return undefined;
  const isFresh = Math.abs(now - Number(measuredAt) * 1_000) < FRESH_MS;
  if (!SYNCHRONIZED_LEAPS.has(leap) || reference === CHRONY_LOCAL || !isFresh) {
    return { state: 'unsynchronized', source: 'chrony' };
  }
  return { state: 'synchronized', source: 'chrony', offsetSeconds: 0 - Number(toAdd) };
}

/** What `adjtimex --print` of Debian's package and `adjtimex` of busybox say: `status: 64`. */
export function parseAdjtimex(said: string): ClockReport | undefined {
  const [, status] = /^\s*status:\s+(\d+)/m.exec(said) ?? [];
  if (status === undefined) return undefined;
  const isUnsynchronized = (Number(status) & STA_UNSYNC) !== 0;
  return { state: isUnsynchronized ? 'unsynchronized' : 'synchronized', source: 'kernel' };
}

/** systemd asks the kernel, too (timedatectl(1), `NTPSynchronized`). */
export function parseTimedatectl(said: string): ClockReport | undefined {
  const state = { yes: 'synchronized', no: 'unsynchronized' } as const;
  const answer = said.trim();
  return answer === 'yes' || answer === 'no'
    ? { state: state[answer], source: 'kernel' }
    : undefined;
}

/** In the order in which they are asked: a daemon knows more than the kernel does. */
export const clockSources: readonly ClockSource[] = [
  timesyncd(),
  program(['chronyc', '-c', '-n', 'tracking'], (said) => parseChrony(said)),
  program(['adjtimex', '--print'], parseAdjtimex),
  program(['busybox', 'adjtimex'], parseAdjtimex),
  program(['timedatectl', 'show', '--property=NTPSynchronized', '--value'], parseTimedatectl),
];
