/**
 * A client that sends one line without an end, then one that has one.
 */
import { once } from 'node:events';
import * as v from 'valibot';
import { act } from '../act.js';
import { closed, dial } from '../sockets.js';
import { QUIT, TIME, TIME_REPLY_FORM, TOO_LONG_REPLY } from '../words.js';

const MIB = 1_048_576;

export const endlessLine = act(
  'endlessLine',
  {
    Task: v.object({ mib: v.number() }),
    Told: v.object({
      /** Told once that the line is too long, and then the time. */
      isAnswered: v.boolean(),
      received: v.string(),
      seconds: v.number(),
    }),
  },
  async (port, { mib }) => {
    const begun = performance.now();
    const socket = await dial(port);
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received = (received + text).slice(0, 1_000);
    });
    const chunk = Buffer.alloc(MIB, 'A');
    for (let sent = 0; sent < mib; sent++) {
      if (!socket.write(chunk)) await once(socket, 'drain');
    }
    socket.end(`\n${TIME}${QUIT}`);
    await closed(socket);
    const time = received.slice(TOO_LONG_REPLY.length);
    return {
      isAnswered: received.startsWith(TOO_LONG_REPLY) && TIME_REPLY_FORM.test(time),
      received,
      seconds: (performance.now() - begun) / 1_000,
    };
  },
);
