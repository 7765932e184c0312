/**
 * Visitors: every kind of client that a service has, each of which comes again and again: those who want something of it, who look at
 * every reply, and those who wish it ill.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { below, type Random } from '../random.js';
import { closed } from '../sockets.js';
import { QUIT, TIME, TIME_REPLY_FORM, TOO_LATE_REPLY } from '../words.js';
import { Dialogue } from './dialogue.js';
import { converse, SCRIPTS } from './pipeline.js';
import { sendNoise } from './rude.js';

/** One visit, from the open connection to its end. @throws whatever the service did that it must not do */
type Visit = (socket: Socket, random: Random) => Promise<void>;

export interface Visitor {
  readonly name: string;
  /** How many of them there are at the same time. */
  readonly count: number;
  readonly visit: Visit;
}

const ASKS = 20;
const ASK_EVERY_MS = 50;
const PIPELINED = 5_000;
const READ_SLOWLY = 100_000;
const SLOWLY = { pauseMs: 1_000, chunkPauseMs: 20 };
const KEY_MS = 100;
const DRIP_MS = 200;
const RESET_MS = 50;
const ENDLESS_CHUNK = Buffer.alloc(65_536, 'A');
const ENDLESS_CHUNKS = 500;
const FLOOD_CHUNK = Buffer.from(TIME.repeat(10_000));

/** What Debian's telnet and PuTTY send before the first line. */
const NEGOTIATIONS = [
  'fffd26fffb26fffd03fffb18fffb1ffffb20fffb21fffb22fffb27fffd05',
  'fffb1ffffb20fffb18fffb27fffd01fffb03fffd03',
].map((bytes) => Buffer.from(bytes, 'hex'));
/** What ^C is in Debian's telnet, and what it is owed: IAC IP IAC DO TIMING-MARK, IAC WONT TIMING-MARK. */
const INTERRUPT = Buffer.from('fff4fffd06', 'hex');
const WONT_TIMING_MARK = Buffer.from('fffc06', 'hex').toString('latin1');

export const GOOD_VISITORS: readonly Visitor[] = [
  {
    name: 'asks now and then',
    count: 20,
    visit: async (socket) => {
      const dialogue = new Dialogue(socket);
      for (let asked = 0; asked < ASKS; asked++) {
        expectTime(await dialogue.say(TIME).hear());
        await sleep(ASK_EVERY_MS);
      }
      await quit(socket, dialogue);
    },
  },
  {
    name: 'pipelines',
    count: 5,
    visit: (socket) => pipelined(socket, PIPELINED, { pauseMs: 0 }),
  },
  {
    name: 'reads slowly',
    count: 3,
    visit: (socket) => pipelined(socket, READ_SLOWLY, SLOWLY),
  },
  {
    name: 'types',
    count: 5,
    visit: async (socket) => {
      const dialogue = new Dialogue(socket);
      for (const key of TIME) {
        await sleep(KEY_MS);
        dialogue.say(key);
      }
      expectTime(await dialogue.hear());
      await quit(socket, dialogue);
    },
  },
  {
    name: 'speaks telnet',
    count: 5,
    visit: async (socket, random) => {
      const dialogue = new Dialogue(socket);
      dialogue.say(NEGOTIATIONS[below(NEGOTIATIONS.length, random)] ?? '');
      expectTime(await dialogue.say(TIME).hear());
      const reply = await dialogue.say(INTERRUPT).say(TIME).hear();
      if (!reply.startsWith(WONT_TIMING_MARK)) throw new Error(`no timing mark: ${said(reply)}`);
      expectTime(reply.slice(WONT_TIMING_MARK.length));
      await quit(socket, dialogue);
    },
  },
];

export const BAD_VISITORS: readonly Visitor[] = [
  {
    name: 'leaves a line unfinished',
    count: 20,
    visit: (socket) => expectTooLate(new Dialogue(socket).say('TI')),
  },
  { name: 'is idle', count: 100, visit: (socket) => expectTooLate(new Dialogue(socket)) },
  {
    name: 'drips',
    count: 10,
    visit: async (socket) => {
      const dialogue = new Dialogue(socket);
      const timer = setInterval(() => dialogue.say('x'), DRIP_MS);
      socket.once('close', () => clearInterval(timer));
      await expectTooLate(dialogue);
    },
  },
  {
    name: 'cuts its connection',
    count: 5,
    visit: async (socket, random) => {
      socket.write(TIME.repeat(below(1_000, random)));
      await sleep(below(RESET_MS, random));
      socket.resetAndDestroy();
    },
  },
  {
    name: 'sends random bytes',
    count: 5,
    visit: async (socket, random) => {
      socket.resume();
      await sendNoise(socket, random);
      socket.end();
      await closed(socket);
      if (socket.errored !== null) throw socket.errored;
    },
  },
  {
    name: 'never ends its line',
    count: 1,
    visit: async (socket, random) => {
      socket.resume();
      for (let sent = 0; sent < ENDLESS_CHUNKS && socket.writable; sent++) {
        if (!socket.write(ENDLESS_CHUNK)) await drained(socket);
        await sleep(below(10, random));
      }
      socket.destroy();
    },
  },
  {
    name: 'connects and closes',
    count: 5,
    visit: async (socket, random) => {
      socket.resume();
      socket.end(random() < 0.5 ? '' : TIME);
      await closed(socket);
    },
  },
  {
    name: 'sends and never reads',
    count: 3,
    visit: async (socket) => {
      socket.pause();
      while (socket.writable) if (!socket.write(FLOOD_CHUNK)) await drained(socket);
    },
  },
];

async function pipelined(
  socket: Socket,
  lines: number,
  reading: Parameters<typeof converse>[3],
): Promise<void> {
  const { replies, fault } = await converse(socket, SCRIPTS.mixed, lines, reading);
  if (fault !== undefined) throw new Error(fault);
  if (replies !== lines) throw new Error(`${replies} replies to ${lines} lines`);
}

async function quit(socket: Socket, dialogue: Dialogue): Promise<void> {
  socket.end(QUIT);
  await closed(socket);
  if (socket.errored !== null) throw socket.errored;
  if (dialogue.rest !== '') throw new Error(`after the last reply: ${said(dialogue.rest)}`);
}

/** Sooner or later. */
async function expectTooLate(dialogue: Dialogue): Promise<void> {
  const reply = await dialogue.hear();
  if (reply !== TOO_LATE_REPLY) throw new Error(`not that it is too late: ${said(reply)}`);
}

/** Takes no more, or never will again. */
async function drained(socket: Socket): Promise<void> {
  await Promise.race([once(socket, 'drain').catch(() => undefined), closed(socket)]);
}

function expectTime(reply: string): void {
  if (!TIME_REPLY_FORM.test(reply)) throw new Error(`no time: ${said(reply)}`);
}

function said(reply: string): string {
  return JSON.stringify(reply);
}
