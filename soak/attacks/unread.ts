/**
 * Clients that ask and do not read: what the service has to say to them may not pile up in it, and nothing of it may be lost.
 */
import type { Attack } from '../attack.js';
import { pipeline, type ScriptName } from '../acts/pipeline.js';
import { cleared, served } from '../unharmed.js';
import { allOf, atMost } from '../verdict.js';

interface Unread {
  readonly name: string;
  readonly title: string;
  readonly connections: number;
  /** Of each connection. */
  readonly lines: number;
  readonly script: ScriptName;
  readonly pauseMs: number;
}

const GROWTH_MIB = 40;
const P99_MS = 50;

function unread({ name, title, connections, lines, script, pauseMs }: Unread): Attack {
  return {
    name,
    title,
    run: async (stage) => {
      const task = {
        connections,
        lines: stage.sized(lines),
        script,
        pauseMs: stage.sized(pauseMs),
      };
      const observed = await stage.observe(() => stage.perform(pipeline, task));
      const { replies, seconds, fault } = observed.result;
      const promise = `every reply, in order (${seconds.toFixed(0)} s in all)`;
      return [
        atMost('growth of the process', observed.growthMib, GROWTH_MIB, 'MiB'),
        allOf(promise, replies, connections * task.lines, fault),
        ...served(observed, P99_MS),
        ...cleared(observed),
      ];
    },
  };
}

export const UNREAD_ATTACKS: readonly Attack[] = [
  unread({
    name: 'unread',
    title: 'A client sends 50 MB of `TIME`, does not read for 20 s, then does',
    connections: 1,
    lines: 10_000_000,
    script: 'time',
    pauseMs: 20_000,
  }),
  unread({
    name: 'unread-errors',
    title: '20 clients send 4 MB of unknown commands each, do not read for 20 s, then do',
    connections: 20,
    lines: 2_000_000,
    script: 'unknown',
    pauseMs: 20_000,
  }),
  unread({
    name: 'empty-lines',
    title: 'A client sends 4,000,000 empty lines, does not read for 10 s, then does',
    connections: 1,
    lines: 4_000_000,
    script: 'empty',
    pauseMs: 10_000,
  }),
];
