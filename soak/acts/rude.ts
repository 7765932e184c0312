/**
 * Clients that come, are rude and go: those who cut their connection, those who leave at once, and those who talk nonsense.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { act } from '../act.js';
import { below, type Random, randomBytes, randomFrom } from '../random.js';
import { closed, crowd, dial } from '../sockets.js';
import { QUIT, TIME } from '../words.js';

const AT_ONCE = 50;
const SEED = 20_261_122;
/** Enough that the service is still writing when the client cuts the connection. */
const LINES_UNDER_WRITE = 20_000;
const NOISE_BYTES = 8_192;
/** A reset comes within so many milliseconds. */
const RESET_MS = 5;

const Count = v.object({ count: v.number() });
const Ends = v.object({
  /** Connections that the service ended by itself, or after the client did, and not by a RST. */
  ended: v.number(),
  /** Those that could not be opened, or were cut by the service. */
  failed: v.number(),
});

/** Connections cut by the client at any moment: before a word, in a line, behind a request. */
export const resets = act('resets', { Task: Count, Told: Ends }, (port, { count }) => {
  const random = randomFrom(SEED);
  const openings = ['', 'TI', TIME, TIME.repeat(50)];
  return visits(port, count, async (socket) => {
    socket.write(openings[below(openings.length, random)] ?? '');
    await sleep(below(RESET_MS, random));
    socket.resetAndDestroy();
  });
});

/** Connections cut by the client while the service writes to it. */
export const resetsUnderWrite = act(
  'resetsUnderWrite',
  { Task: Count, Told: Ends },
  (port, { count }) =>
    visits(port, count, async (socket) => {
      const reply = once(socket, 'data');
      socket.write(TIME.repeat(LINES_UNDER_WRITE));
      await reply;
      socket.resetAndDestroy();
    }),
);

/** Connections that are closed as soon as they are open, with and without a word. */
export const churn = act('churn', { Task: Count, Told: Ends }, (port, { count }) => {
  const words = ['', TIME, QUIT, TIME + QUIT];
  return visits(port, count, async (socket, index) => {
    socket.resume();
    socket.end(words[index % words.length] ?? '');
    await closed(socket);
  });
});

/** Connections of random bytes, which the client then closes its side of: it is told what it is told, and then a FIN. */
export const noise = act('noise', { Task: Count, Told: Ends }, (port, { count }) => {
  const random = randomFrom(SEED);
  return visits(port, count, async (socket) => {
    socket.resume();
    await sendNoise(socket, random);
    socket.end();
    await closed(socket);
  });
});

/** In pieces of any size. */
export async function sendNoise(socket: Socket, random: Random): Promise<void> {
  for (let left = below(NOISE_BYTES, random); left > 0;) {
    const piece = 1 + below(left, random);
    left -= piece;
    socket.write(randomBytes(piece, random));
    if (random() < 0.5) await sleep(1);
  }
}

async function visits(
  port: number,
  count: number,
  visit: (socket: Socket, index: number) => Promise<void>,
): Promise<v.InferOutput<typeof Ends>> {
  const ends = { ended: 0, failed: 0 };
  await crowd(count, AT_ONCE, async (index) => {
    try {
      const socket = await dial(port);
      await visit(socket, index);
      if (socket.errored === null) ends.ended++;
      else ends.failed++;
    } catch {
      ends.failed++;
    }
  });
  return ends;
}
