/**
 * ClockReport: what can be known of the machine's clock. A service that tells the time is wrong where that is.
 */

/** `unknown` where nothing that keeps the clock could be asked. */
export type ClockState = 'synchronized' | 'unsynchronized' | 'unknown';

export interface ClockReport {
  readonly state: ClockState;
  /** Who says so: the daemon that keeps the clock, or the kernel; nobody, if it is unknown. */
  readonly source?: 'timesyncd' | 'chrony' | 'kernel';
  /** By how much the clock is ahead of the right time, in seconds, where the source estimates it. */
  readonly offsetSeconds?: number;
}

/** Asks one source. `undefined` is no answer: it is not there, or has no say. */
export type ClockSource = (signal: AbortSignal) => Promise<ClockReport | undefined>;

/** The injection token of the {@link ClockSource}s, in the order in which they are asked. */
export const CLOCK_SOURCES = Symbol('clock sources');
