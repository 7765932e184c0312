/**
 * What the results must reach. Each target is judged by medians of one run; nothing here is measured.
 */
import { figure, ratio, type Results, type Spread } from './samples.js';
import { isLimited } from './limited.js';
import type { ContenderName } from './contenders.js';

interface Target {
  readonly wish: string;
  readonly least?: number;
  readonly most?: number;
  readonly unit?: string;
  readonly measured: (results: Results) => Judged | undefined;
  /** The same of the bare server, where a peer decides whether the target is within the runtime's reach. */
  readonly limit?: (results: Results) => Judged | undefined;
}

interface Judged {
  readonly value: Spread;
  /** The same by the processor time of the servers, which is told too. */
  readonly cpu?: Spread;
  /** Whether the value is that, because a generator was too busy. */
  readonly isByCpu?: boolean;
}

export interface Verdict {
  readonly wish: string;
  readonly measured: Judged | undefined;
  readonly unit: string;
  readonly isMet: boolean;
  /** What the bare server reaches of it. */
  readonly limit: Judged | undefined;
}

const D1 = '50 connections, depth 1';
const D16 = '50 connections, depth 16';
const D256 = '50 connections, depth 256';

/** How many times as fast; by the processor time that they need where the generator could not ask faster. */
function speed(scenario: string, server: ContenderName, base: ContenderName = 'bare') {
  return (results: Results): Judged | undefined => {
    const cpu = ratio(results, scenario, [base, server], 'cpu');
    const rate = ratio(results, scenario, [server, base], 'rate');
    if (cpu === undefined || rate === undefined) return undefined;
    const isByCpu = [server, base].some((name) => isLimited(results, scenario, name));
    return isByCpu ? { value: cpu, isByCpu } : { value: rate, cpu };
  };
}

function cost(scenario: string, server: ContenderName, base: ContenderName) {
  return (results: Results): Judged | undefined => {
    const value = ratio(results, scenario, [server, base], 'cpu');
    return value && { value };
  };
}

function start(figureOf: 'start' | 'startRss') {
  return (results: Results): Judged | undefined => {
    const value = ratio(results, 'Start-up', ['service', 'Nest TCP'], figureOf);
    return value && { value };
  };
}

const TARGETS: readonly Target[] = [
  { wish: 'The service at depth 1: 0.90 of bare', least: 0.9, measured: speed(D1, 'service') },
  { wish: 'The service at depth 16: 0.80 of bare', least: 0.8, measured: speed(D16, 'service') },
  { wish: 'The service at depth 256: 0.60 of bare', least: 0.6, measured: speed(D256, 'service') },
  {
    wish: "The service at depth 256: ahead of Redis's inline PING",
    least: 1,
    measured: speed(D256, 'service', 'Redis'),
  },
  {
    wish: 'CPU time of a request at depth 1: at most 1.10 of bare',
    most: 1.1,
    measured: cost(D1, 'service', 'bare'),
  },
  {
    wish: "Through Nest's pipeline: at most 1.20 of the CPU time of Nest's wrapper on a bare server (depth 256)",
    most: 1.2,
    measured: cost(D256, 'LineServer, pipeline', "bare + Nest's wrapper"),
  },
  {
    wish: "3 times Nest's TCP transport at depth 1",
    least: 3,
    measured: speed(D1, 'service', 'Nest TCP'),
    limit: speed(D1, 'bare', 'Nest TCP'),
  },
  {
    wish: "20 times Nest's TCP transport at depth 16",
    least: 20,
    measured: speed(D16, 'service', 'Nest TCP'),
  },
  {
    wish: '8 times the Python server at depth 1, both logging every request',
    least: 8,
    measured: speed(D1, 'service, logging', 'Python, logging'),
    limit: speed(D1, 'bare', 'Python, logging'),
  },
  { wish: 'Sessions: 0.85 of bare', least: 0.85, measured: speed('Sessions', 'service') },
  {
    wish: 'Memory (RSS) of an idle connection: at most 1.5 of bare',
    most: 1.5,
    measured: (results) => {
      const value = ratio(results, 'Idle memory', ['service', 'bare'], 'idleRss');
      return value && { value };
    },
  },
  {
    wish: 'Start-up: at most 1.25 of a minimal Nest microservice',
    most: 1.25,
    measured: start('start'),
  },
  {
    wish: 'Memory (RSS) after the start: at most 1.25 of a minimal Nest microservice',
    most: 1.25,
    measured: start('startRss'),
  },
  {
    wish: 'Two workers: 1.6 of one',
    least: 1.6,
    measured: (results) => {
      const value = ratio(results, 'Workers', ['2 workers', '1 worker'], 'rate');
      return value && { value };
    },
  },
  {
    wish: 'p99 of a quiet client beside a flooding one: at most 5 ms',
    most: 5,
    unit: ' ms',
    measured: (results) => {
      const us = figure(results, 'A quiet client beside a flooding one', 'service', 'p99');
      if (us === undefined) return undefined;
      const { median, lowest, highest } = us;
      return {
        value: { median: median / 1_000, lowest: lowest / 1_000, highest: highest / 1_000 },
      };
    },
  },
];

export function verdicts(results: Results): Verdict[] {
  return TARGETS.map(({ wish, least = 0, most = Infinity, unit = '', measured, limit }) => {
    const judged = measured(results);
    const median = judged?.value.median ?? Number.NaN;
    const isMet = median >= least && median <= most;
    return { wish, measured: judged, unit, isMet, limit: limit?.(results) };
  });
}
