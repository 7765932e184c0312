/**
 * A crowd: connections that are held open, asked now and then, and let go of. This process holds one crowd.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { act } from '../act.js';
import { Latencies, latencies } from '../latencies.js';
import { closed, crowd, dial } from '../sockets.js';
import { FULL_REPLY, TIME, TIME_REPLY, TIME_REPLY_FORM } from '../words.js';

/** Opened at the same time; fewer than the backlog of the service. */
const AT_ONCE = 200;
/** Linux has all of 127.0.0.0/8. */
const ADDRESSES = 20;

class Member {
  received = '';
  #askedAt: number | undefined;
  #onReply: ((ms: number | undefined) => void) | undefined;

  constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
      if (this.received.length >= TIME_REPLY.length) this.#settle();
    });
    socket.once('close', () => this.#settle());
  }

  get isOpen(): boolean {
    return !this.socket.destroyed && !this.socket.readableEnded;
  }

  /** @returns milliseconds until the time came; `undefined` if something else came */
  async ask(withinMs: number): Promise<number | undefined> {
    if (!this.isOpen) return undefined;
    this.received = '';
    const replied = new Promise<number | undefined>((resolve) => {
      this.#onReply = resolve;
    });
    this.#askedAt = performance.now();
    this.socket.write(TIME);
    const timer = setTimeout(() => this.#settle(), withinMs);
    const ms = await replied;
    clearTimeout(timer);
    return ms;
  }

  #settle(): void {
    const ms = performance.now() - (this.#askedAt ?? Number.NaN);
    this.#onReply?.(TIME_REPLY_FORM.test(this.received) ? ms : undefined);
    this.#onReply = undefined;
  }
}

let members: Member[] = [];

export const gather = act(
  'gather',
  {
    Task: v.object({ count: v.number(), atOnce: v.optional(v.number(), AT_ONCE) }),
    Told: v.object({ connected: v.number(), failed: v.number(), seconds: v.number() }),
  },
  async (port, { count, atOnce }) => {
    const begun = performance.now();
    const before = members.length;
    let failed = 0;
    await crowd(count, atOnce, async (index) => {
      try {
        members.push(new Member(await dial(port, `127.0.0.${2 + (index % ADDRESSES)}`)));
      } catch {
        failed++;
      }
    });
    const connected = members.length - before;
    return { connected, failed, seconds: (performance.now() - begun) / 1_000 };
  },
);

/** Each asks once, evenly over so many milliseconds: over 0, all at the same time. */
export const askAll = act(
  'askAll',
  {
    Task: v.object({ overMs: v.number(), withinMs: v.number() }),
    Told: v.object({ answered: v.number(), ...Latencies.entries, seconds: v.number() }),
  },
  async (_port, { overMs, withinMs }) => {
    const begun = performance.now();
    const asked = await Promise.all(
      members.map(async (member, index) => {
        if (overMs > 0) await sleep((index / members.length) * overMs);
        return member.ask(withinMs);
      }),
    );
    const answered = asked.filter((ms) => ms !== undefined);
    const seconds = (performance.now() - begun) / 1_000;
    return { answered: answered.length, ...latencies(answered), seconds };
  },
);

/** How many are still there, and what those were told who are not. */
export const lookAround = act(
  'lookAround',
  { Task: v.null(), Told: v.object({ open: v.number(), full: v.number(), silent: v.number() }) },
  async () => {
    const gone = members.filter(({ isOpen }) => !isOpen);
    const full = gone.filter(({ received }) => received === FULL_REPLY).length;
    return { open: members.length - gone.length, full, silent: gone.length - full };
  },
);

export const disperse = act('disperse', { Task: v.null(), Told: v.null() }, async () => {
  const leaving = members;
  members = [];
  for (const { socket } of leaving) socket.destroy();
  await Promise.all(leaving.map(({ socket }) => closed(socket)));
  return null;
});

/** So many come in the same instant, and ask. */
export const burst = act(
  'burst',
  {
    Task: v.object({ count: v.number() }),
    Told: v.object({ answered: v.number(), seconds: v.number() }),
  },
  async (port, { count }) => {
    const begun = performance.now();
    const replies = await Promise.all(
      Array.from({ length: count }, async () => {
        const member = new Member(await dial(port));
        const ms = await member.ask(10_000);
        member.socket.destroy();
        return ms;
      }),
    );
    const answered = replies.filter((ms) => ms !== undefined).length;
    return { answered, seconds: (performance.now() - begun) / 1_000 };
  },
);
