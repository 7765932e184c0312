/**
 * Verdicts: what was promised, what was measured, and whether that is the promise kept. Knows nothing of how it was measured.
 */
export interface Verdict {
  readonly promise: string;
  readonly measured: string;
  readonly isMet: boolean;
}

/** A figure that may be no larger; one that could not be measured is not. */
export function atMost(promise: string, measured: number, limit: number, unit: string): Verdict {
  const [most, figure] = [shown(limit, unit), shown(measured, unit)];
  return { promise: `${promise}: at most ${most}`, measured: figure, isMet: measured <= limit };
}

/** All of them, as they must be. @param fault what was wrong first */
export function allOf(promise: string, count: number, all: number, fault?: string): Verdict {
  const isMet = count === all && fault === undefined;
  const measured = `${grouped(count)} of ${grouped(all)}`;
  return {
    promise,
    measured: fault === undefined ? measured : `${measured}; ${fault}`,
    isMet,
  };
}

export function holds(promise: string, isMet: boolean, measured: string): Verdict {
  return { promise, measured, isMet };
}

export function grouped(count: number): string {
  return count.toLocaleString('en');
}

function shown(value: number, unit: string): string {
  const digits = Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0;
  return `${value.toFixed(digits)} ${unit}`;
}
