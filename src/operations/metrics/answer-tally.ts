/**
 * AnswerTally: how the lines of one command were answered, and how long that took. It is called for every line, so it only adds; a metric
 * of prom-client would spell out its labels each time, which costs as much as the line.
 */
import type { Answered, Outcome } from '../../line-transport/index.js';

/** Upper bounds of the buckets, in seconds: from a handler that has its answer at hand to one that waits for others. */
export const DURATION_BOUNDS = [
  0.000_01, 0.000_1, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
] as const;

export class AnswerTally {
  readonly outcomes: Record<Outcome, number> = {
    replied: 0,
    rejected: 0,
    failed: 0,
    timedOut: 0,
    abandoned: 0,
    unknownCommand: 0,
    badArguments: 0,
    lineTooLong: 0,
  };
  /** How many took at most so long as the bound at the same place, and longer than the one before; the last ones, longer than any. */
  readonly durations = DURATION_BOUNDS.map(() => 0).concat(0);
  /** All durations together, in seconds. */
  seconds = 0;

  add({ outcome, durationMs }: Answered): void {
    this.outcomes[outcome]++;
    if (isNoCommand(outcome)) return; // no handler was called
    const seconds = durationMs / 1_000;
    this.seconds += seconds;
    let place = 0;
    while (seconds > (DURATION_BOUNDS[place] ?? Infinity)) place++;
    this.durations[place] = (this.durations[place] ?? 0) + 1;
  }
}

function isNoCommand(outcome: Outcome): boolean {
  return outcome === 'unknownCommand' || outcome === 'badArguments' || outcome === 'lineTooLong';
}
