/**
 * The service is told to stop while clients want something of it: what was asked before is answered, but not for ever.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack } from '../attack.js';
import { pipeline } from '../acts/pipeline.js';
import { askBeforeStop, readUntilEnd } from '../acts/stop.js';
import { allOf, holds } from '../verdict.js';

const GRACE_MS = 2_000;
/** So long the client has sent before the signal comes: until nothing more is taken from it. */
const UNREAD_MS = 1_000;
/** What remains to be done after the grace. */
const END_MS = 2_000;

const stop: Attack = {
  name: 'stop',
  title: '80 clients have sent 10,000 `TIME` each when SIGTERM comes',
  service: {}, // its own: nothing is left of it
  run: async (stage) => {
    const task = { connections: stage.sized(80, 2), lines: stage.sized(10_000, 10) };
    const clients = await stage.clients();
    await stage.warmUp();
    await stage.perform(askBeforeStop, task, clients);
    const [{ status, seconds }, { replies, ended, fault }] = await Promise.all([
      stage.service.terminate(),
      stage.perform(readUntilEnd, null, clients),
    ]);
    const requests = task.connections * task.lines;
    return [
      allOf('every request sent before the signal is answered', replies, requests, fault),
      allOf('every conversation ends with a FIN', ended, task.connections),
      holds(
        'the exit status is 0',
        status === '0',
        `${status}, ${seconds.toFixed(1)} s after the signal`,
      ),
    ];
  },
};

const stopUnread: Attack = {
  name: 'stop-unread',
  title: `A client that never reads has sent 100,000 \`TIME\` when SIGTERM comes (SHUTDOWN_GRACE_MS=${GRACE_MS})`,
  service: { settings: { SHUTDOWN_GRACE_MS: String(GRACE_MS) } },
  run: async (stage) => {
    await stage.warmUp();
    const unread = { connections: 1, lines: 2_000_000, script: 'time', pauseMs: 60_000 } as const;
    stage.perform(pipeline, unread).catch(() => undefined); // ends with the stage
    await sleep(UNREAD_MS);
    const { status, seconds } = await stage.service.terminate();
    return [
      holds(
        `the end comes within the grace and ${END_MS / 1_000} s`,
        seconds <= (GRACE_MS + END_MS) / 1_000,
        `${seconds.toFixed(1)} s after the signal`,
      ),
      holds('the exit status is 0', status === '0', status),
    ];
  },
};

export const STOP_ATTACKS: readonly Attack[] = [stop, stopUnread];
