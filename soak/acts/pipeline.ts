/**
 * Pipelining: clients that send many lines without waiting, perhaps without reading for a while, and then look at every reply.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { act } from '../act.js';
import { type Kind, ReplyChecker } from '../reply-checker.js';
import { closed, dial } from '../sockets.js';
import { QUIT } from '../words.js';

export interface Script {
  /** What is sent, line by line; it begins again when it is over. */
  readonly lines: readonly string[];
  readonly kinds: readonly Kind[];
}

/** In no order that a server might produce by itself, so that replies that change places are noticed. */
const MIXTURE = Array.from({ length: 1_009 }, (_, index): Kind =>
  (index * index) % 11 === 4 ? 'unknown' : 'time',
);

export const SCRIPTS = {
  time: { lines: ['TIME\n'], kinds: ['time'] },
  unknown: { lines: ['x\n'], kinds: ['unknown'] },
  empty: { lines: ['\n'], kinds: ['unknown'] },
  mixed: { lines: MIXTURE.map((kind) => (kind === 'time' ? 'TIME\n' : 'x\n')), kinds: MIXTURE },
} as const satisfies Record<string, Script>;
export type ScriptName = keyof typeof SCRIPTS;

const CHUNK_BYTES = 65_536;

export const pipeline = act(
  'pipeline',
  {
    Task: v.object({
      connections: v.number(),
      /** Of each connection. */
      lines: v.number(),
      script: v.picklist(['time', 'unknown', 'empty', 'mixed']),
      /** For so long nothing is read. */
      pauseMs: v.number(),
    }),
    Told: v.object({
      /** Right ones, of all connections. */
      replies: v.number(),
      seconds: v.number(),
      /** What was wrong first. */
      fault: v.optional(v.string()),
    }),
  },
  async (port, { connections, lines, script, pauseMs }) => {
    const begun = performance.now();
    const sockets = await Promise.all(Array.from({ length: connections }, () => dial(port)));
    const checkers = await Promise.all(
      sockets.map((socket) => converse(socket, SCRIPTS[script], lines, { pauseMs })),
    );
    return {
      replies: checkers.reduce((sum, { replies }) => sum + replies, 0),
      seconds: (performance.now() - begun) / 1_000,
      fault: checkers.find(({ fault }) => fault !== undefined)?.fault,
    };
  },
);

/** How a client reads. */
interface Reading {
  /** For so long it does not. */
  readonly pauseMs: number;
  /** And for so long after each chunk. Default: 0. */
  readonly chunkPauseMs?: number;
}

/** Sends so many lines and QUIT, and looks at what comes. */
export async function converse(
  socket: Socket,
  script: Script,
  lines: number,
  { pauseMs, chunkPauseMs = 0 }: Reading,
): Promise<ReplyChecker> {
  const checker = new ReplyChecker(script.kinds);
  const sent = sendLines(socket, script, lines).catch((error: unknown) => {
    checker.fault ??= String(error);
  });
  await sleep(pauseMs);
  socket.on('data', (chunk: Buffer) => {
    checker.push(chunk);
    if (chunkPauseMs === 0) return;
    socket.pause();
    setTimeout(() => socket.resume(), chunkPauseMs);
  });
  await sent;
  socket.end(QUIT);
  await closed(socket);
  if (socket.errored !== null) checker.fault ??= socket.errored.message;
  return checker;
}

/** No faster than the service takes them. */
async function sendLines(socket: Socket, script: Script, count: number): Promise<void> {
  const all = script.lines.join('');
  const repeated = Math.max(1, Math.floor(CHUNK_BYTES / all.length));
  const chunk = Buffer.from(all.repeat(repeated));
  const linesOfChunk = repeated * script.lines.length;
  let left = count;
  for (; left >= linesOfChunk; left -= linesOfChunk) await send(socket, chunk);
  const rest = Array.from(
    { length: left },
    (_, index) => script.lines[index % script.lines.length] ?? '',
  );
  await send(socket, Buffer.from(rest.join('')));
}

async function send(socket: Socket, bytes: Buffer): Promise<void> {
  if (!socket.write(bytes)) await once(socket, 'drain');
}
