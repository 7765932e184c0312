/**
 * Clients that send without waiting and read as fast as they can: every reply comes, in its order, and others have their turn.
 */
import type { Attack } from '../attack.js';
import { pipeline, type ScriptName } from '../acts/pipeline.js';
import { cleared, served } from '../unharmed.js';
import { allOf } from '../verdict.js';

interface Pipelines {
  readonly name: string;
  readonly title: string;
  readonly connections: number;
  /** Of each connection. */
  readonly lines: number;
  readonly script: ScriptName;
}

const P99_MS = 100;

function pipelines({ name, title, connections, lines, script }: Pipelines): Attack {
  return {
    name,
    title,
    run: async (stage) => {
      const task = { connections, lines: stage.sized(lines), script, pauseMs: 0 };
      const observed = await stage.observe(() => stage.perform(pipeline, task));
      const { replies, seconds, fault } = observed.result;
      return [
        allOf(
          `every reply, in order (${seconds.toFixed(1)} s)`,
          replies,
          connections * task.lines,
          fault,
        ),
        ...served(observed, P99_MS),
        ...cleared(observed),
      ];
    },
  };
}

export const PIPELINE_ATTACKS: readonly Attack[] = [
  pipelines({
    name: 'pipeline',
    title:
      'One client sends 10,006,000 lines without waiting, known and unknown commands in a pattern',
    connections: 1,
    lines: 10_006_000,
    script: 'mixed',
  }),
  pipelines({
    name: 'pipelines',
    title: '50 clients send 10,000 lines each at once',
    connections: 50,
    lines: 10_000,
    script: 'mixed',
  }),
  pipelines({
    name: 'hog',
    title: 'One client sends 5,000,000 `TIME` flat out while others ask',
    connections: 1,
    lines: 5_000_000,
    script: 'time',
  }),
];
