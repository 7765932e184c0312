/**
 * What was measured, and its statistics. Knows nothing of what the figures mean.
 */
export const FIGURES = [
  'rate',
  'cpu',
  'p50',
  'p99',
  'p999',
  'serverBusy',
  'busy',
  'start',
  'startRss',
  'idleRss',
  'idleHeap',
  'spokenRss',
  'spokenHeap',
] as const;

export type Figure = (typeof FIGURES)[number];

/** One measurement of one server. */
export type Sample = Readonly<Partial<Record<Figure, number>>>;

/** By scenario, server and round; a measurement that failed, or was not made, is missing. */
export type Results = Record<string, Record<string, Record<string, Sample>>>;

/** A median and how far the rounds lie apart. */
export interface Spread {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
}

export function spread(numbers: readonly number[]): Spread | undefined {
  const sorted = numbers.filter((number) => Number.isFinite(number)).toSorted((a, b) => a - b);
  const [lowest, highest] = [sorted[0], sorted.at(-1)];
  if (lowest === undefined || highest === undefined) return undefined;
  const middle = (sorted.length - 1) / 2;
  const [below = 0, above = 0] = [sorted[Math.floor(middle)], sorted[Math.ceil(middle)]];
  return { median: (below + above) / 2, lowest, highest };
}

/** A figure in all rounds. */
export function figure(
  results: Results,
  scenario: string,
  server: string,
  name: Figure,
): Spread | undefined {
  const rounds = Object.values(results[scenario]?.[server] ?? {});
  return spread(rounds.map((sample) => sample[name] ?? Number.NaN));
}

/** A figure against that of another server, round by round: what disturbed a round disturbed both. */
export function ratio(
  results: Results,
  scenario: string,
  [server, base]: readonly [string, string],
  name: Figure,
): Spread | undefined {
  const [own, other] = [results[scenario]?.[server] ?? {}, results[scenario]?.[base] ?? {}];
  return spread(
    Object.entries(own).map(
      ([round, sample]) => (sample[name] ?? Number.NaN) / (other[round]?.[name] ?? Number.NaN),
    ),
  );
}
