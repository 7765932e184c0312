/**
 * What is measured, as a table: which servers, under which load. The first server of a scenario is what the others are compared
 * with. Knows nothing of how it is done.
 */
import type { ContenderName } from './contenders.js';

interface Comparison {
  readonly title: string;
  readonly servers: readonly ContenderName[];
  /** What a reader of its numbers has to know. */
  readonly note?: string;
}

/** A generator's closed loop; `sessions` and `flood` are told in load.c. */
export interface LoadScenario extends Comparison {
  readonly kind: 'pipeline' | 'sessions' | 'flood' | 'workers';
  readonly connections: number;
  readonly depth: number;
}

/** What a server costs that is not asked anything. */
export type QuietScenario = Comparison & ({ readonly kind: 'idle' } | { readonly kind: 'start' });

export type Scenario = LoadScenario | QuietScenario;

const PEERS = ['Nest TCP', 'Redis', 'memcached'] as const;
const ALL: readonly ContenderName[] = [
  'bare',
  'service',
  'service, logging',
  'LineServer, direct',
  'LineServer, pipeline',
  'LineServer, 3 enhancers',
  "bare + Nest's wrapper",
  'Python, logging',
  ...PEERS,
];

function pipeline(
  connections: number,
  depth: number,
  servers: readonly ContenderName[],
): LoadScenario {
  const title = `${connections.toLocaleString('en')} connections, depth ${depth}`;
  return { kind: 'pipeline', title, connections, depth, servers };
}

function tls(depth: number): LoadScenario {
  return {
    ...pipeline(50, depth, ['bare, TLS', 'LineServer, TLS']),
    title: `TLS, 50 connections, depth ${depth}`,
    note: 'Its generator is a Node program and needs more processor time than the servers: the CPU time per request is the figure.',
  };
}

export const SCENARIOS: readonly Scenario[] = [
  ...[1, 16, 256].map((depth) => pipeline(50, depth, ALL)),
  ...[1, 16, 256].map((depth) =>
    pipeline(1_000, depth, ['bare', 'service', 'LineServer, pipeline', ...PEERS]),
  ),
  {
    kind: 'sessions',
    title: 'Sessions',
    connections: 50,
    depth: 1,
    servers: ['bare', 'service', 'service, logging', 'Python, logging', 'Redis', 'memcached'],
    note: 'Connect, ask once, QUIT, wait for the end, close; 50 at a time. A request of this table is such a session.',
  },
  ...[1, 16, 256].map(tls),
  {
    kind: 'workers',
    title: 'Workers',
    connections: 50,
    depth: 16,
    servers: ['1 worker', '2 workers'],
    note: 'A command that burns some 50 µs, always the same steps, in processes of a cluster. The servers may use both cores; the generator is hardly busy.',
  },
  {
    kind: 'flood',
    title: 'A quiet client beside a flooding one',
    connections: 1,
    depth: 256,
    servers: ['bare', 'service', 'LineServer, pipeline', 'Redis'],
    note: 'One client sends without ever waiting for a reply, as much as the connection takes, and reads what comes; the requests/s are its. Another asks once, waits, and asks again a millisecond later: the latencies are its.',
  },
  {
    kind: 'start',
    title: 'Start-up',
    servers: ['Nest TCP', 'service', 'LineServer, direct', 'bare'],
    note: 'From the start of the process to its first reply, and the memory of the process half a second later; the medians of three starts a round. `Nest TCP` is a minimal microservice on the transport that Nest brings.',
  },
  {
    kind: 'idle',
    title: 'Idle memory',
    servers: ['bare', 'LineServer, direct', 'service'],
    note: 'The growth of the process divided by the number of connections; how it is taken is told in bench/README.md.',
  },
];

/** The scenarios whose titles have one of these parts, in any case; all, if there are none. `depth 1` is no part of `depth 16`. */
export function scenariosOf(parts: readonly string[]): readonly Scenario[] {
  if (parts.length === 0) return SCENARIOS;
  return SCENARIOS.filter(({ title }) => {
    const words = title.toLowerCase();
    return parts.some((part) =>
      words
        .split(part)
        .slice(1)
        .some((rest) => !/^\d/.test(rest)),
    );
  });
}
