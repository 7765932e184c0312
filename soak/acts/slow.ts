/**
 * Clients that take their time: those who leave a line unfinished, those who send a byte now and then, and the honest one who types.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { act } from '../act.js';
import { closed, dial } from '../sockets.js';
import { TIME } from '../words.js';

let halfLines: Socket[] = [];

/** Each sends a half of a line and no more, until {@link dropHalfLines}. */
export const openHalfLines = act(
  'openHalfLines',
  { Task: v.object({ count: v.number() }), Told: v.null() },
  async (port, { count }) => {
    halfLines = await Promise.all(Array.from({ length: count }, () => dial(port)));
    for (const socket of halfLines) {
      socket.resume();
      socket.write('TI');
    }
    return null;
  },
);

export const dropHalfLines = act(
  'dropHalfLines',
  { Task: v.null(), Told: v.object({ open: v.number() }) },
  async () => {
    const open = halfLines.filter(({ closed: isClosed }) => !isClosed).length;
    for (const socket of halfLines) socket.destroy();
    return { open };
  },
);

/** A line of which one byte comes every now and then and never the end, until the service has enough of it. */
export const drip = act(
  'drip',
  {
    Task: v.object({ count: v.number(), everyMs: v.number() }),
    Told: v.object({
      /** Milliseconds until each was ended. */
      endedAfterMs: v.array(v.number()),
      /** What they were told, without repetitions. */
      words: v.array(v.string()),
    }),
  },
  async (port, { count, everyMs }) => {
    const ends = await Promise.all(
      Array.from({ length: count }, () => dripUntilEnded(port, everyMs)),
    );
    return {
      endedAfterMs: ends.map(({ ms }) => ms),
      words: [...new Set(ends.map(({ words }) => words))],
    };
  },
);

/** Somebody who types `TIME` key by key. */
export const type = act(
  'type',
  { Task: v.object({ everyMs: v.number() }), Told: v.object({ reply: v.string() }) },
  async (port, { everyMs }) => {
    const socket = await dial(port);
    let reply = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      reply += text;
      if (reply.endsWith('\n')) socket.end();
    });
    for (const key of TIME) {
      await sleep(everyMs);
      if (socket.writable) socket.write(key);
    }
    await closed(socket);
    return { reply };
  },
);

async function dripUntilEnded(
  port: number,
  everyMs: number,
): Promise<{ ms: number; words: string }> {
  const socket = await dial(port);
  const begun = performance.now();
  let words = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    words += text;
  });
  const timer = setInterval(() => socket.writable && socket.write('x'), everyMs);
  socket.write('x');
  await closed(socket);
  clearInterval(timer);
  return { ms: performance.now() - begun, words };
}
