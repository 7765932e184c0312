/**
 * Clients that have asked before the service is told to stop: the requests are with the kernel, and nothing was read yet.
 */
import type { Socket } from 'node:net';
import * as v from 'valibot';
import { act } from '../act.js';
import { ReplyChecker } from '../reply-checker.js';
import { closed, dial } from '../sockets.js';
import { TIME } from '../words.js';

let asked: Socket[] = [];

/** Done when the kernel has taken everything; `lines` of each connection. */
export const askBeforeStop = act(
  'askBeforeStop',
  { Task: v.object({ connections: v.number(), lines: v.number() }), Told: v.null() },
  async (port, { connections, lines }) => {
    asked = await Promise.all(Array.from({ length: connections }, () => dial(port)));
    const requests = Buffer.from(TIME.repeat(lines));
    await Promise.all(
      asked.map((socket) => new Promise((resolve) => socket.write(requests, resolve))),
    );
    return null;
  },
);

/** Reads until the service has ended every conversation. */
export const readUntilEnd = act(
  'readUntilEnd',
  {
    Task: v.null(),
    Told: v.object({
      replies: v.number(),
      /** Conversations that ended with a FIN. */
      ended: v.number(),
      fault: v.optional(v.string()),
    }),
  },
  async () => {
    const checkers = await Promise.all(
      asked.map(async (socket) => {
        const checker = new ReplyChecker(['time']);
        socket.on('data', (chunk: Buffer) => checker.push(chunk));
        await closed(socket);
        if (socket.errored !== null) checker.fault ??= socket.errored.message;
        else if (!socket.readableEnded) checker.fault ??= 'it ended without a FIN';
        return checker;
      }),
    );
    return {
      replies: checkers.reduce((sum, { replies }) => sum + replies, 0),
      ended: checkers.filter(({ fault }) => fault === undefined).length,
      fault: checkers.find(({ fault }) => fault !== undefined)?.fault,
    };
  },
);
