/**
 * The witness: a healthy client that asks all the time, at a steady pace however late the replies are, and looks at each of them. Now and
 * then another one comes, asks once and quits.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import { act } from '../act.js';
import { Latencies, latencies } from '../latencies.js';
import { closed, dial } from '../sockets.js';
import { Starvation } from '../vitals.js';
import { QUIT, TIME, TIME_REPLY, TIME_REPLY_FORM } from '../words.js';

/** Milliseconds that the last replies may take to come. */
const LAST_MS = 10_000;
const DAY = 86_400;

const Witnessed = v.object({
  asked: v.number(),
  answered: v.number(),
  /** Replies that were none, or told another second than those between asking and answer. */
  wrong: v.number(),
  /** How often the service ended the conversation, or would not begin one. */
  cut: v.number(),
  ...Latencies.entries,
  /** The part of the time in which the witness itself had work and no processor. */
  starved: v.number(),
  newcomers: v.number(),
  newcomersServed: v.number(),
  newcomerMax: v.number(),
  /** What was wrong first. */
  fault: v.optional(v.string()),
});
export type Witnessed = v.InferOutput<typeof Witnessed>;

let witness: Witness | undefined;

export const startWitness = act(
  'startWitness',
  { Task: v.object({ everyMs: v.number(), newcomerEveryMs: v.number() }), Told: v.null() },
  async (port, { everyMs, newcomerEveryMs }) => {
    witness = new Witness(port, everyMs, newcomerEveryMs);
    await witness.begin();
    return null;
  },
);

export const stopWitness = act('stopWitness', { Task: v.null(), Told: Witnessed }, async () => {
  if (witness === undefined) throw new Error('There is no witness.');
  return witness.end();
});

class Witness {
  readonly #latencies: number[] = [];
  readonly #newcomers: number[] = [];
  readonly #visits = new Set<Promise<void>>();
  /** When each of the requests was sent that are not answered. */
  #open: number[] = [];
  #socket: Socket | undefined;
  readonly #starved = new Starvation(process.pid);
  #received = '';
  #asked = 0;
  #wrong = 0;
  #cut = 0;
  #newcomersCame = 0;
  #fault: string | undefined;
  #ended = false;
  #timers: NodeJS.Timeout[] = [];

  constructor(
    private readonly port: number,
    private readonly everyMs: number,
    private readonly newcomerEveryMs: number,
  ) {}

  async begin(): Promise<void> {
    await this.#connect();
    this.#ask();
    this.#timers = [
      setInterval(() => this.#ask(), this.everyMs),
      setInterval(() => this.#bringNewcomer(), this.newcomerEveryMs),
    ];
  }

  async end(): Promise<Witnessed> {
    for (const timer of this.#timers) clearInterval(timer);
    const starved = this.#starved.part();
    const until = Date.now() + LAST_MS;
    while (this.#open.length > 0 && Date.now() < until) await sleep(this.everyMs);
    await Promise.race([Promise.all(this.#visits), sleep(until - Date.now())]);
    this.#ended = true;
    const socket = this.#socket;
    if (socket !== undefined) {
      socket.end(QUIT);
      await Promise.race([closed(socket), sleep(LAST_MS)]);
    }
    return {
      asked: this.#asked,
      answered: this.#latencies.length,
      wrong: this.#wrong,
      cut: this.#cut,
      ...latencies(this.#latencies),
      starved,
      newcomers: this.#newcomersCame,
      newcomersServed: this.#newcomers.length,
      newcomerMax: latencies(this.#newcomers).max,
      fault: this.#fault,
    };
  }

  async #connect(): Promise<void> {
    const socket = await dial(this.port);
    this.#socket = socket;
    this.#received = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#receive(text));
    socket.once('close', () => {
      if (!this.#ended) void this.#reconnect(socket.errored);
    });
  }

  async #reconnect(error: Error | null): Promise<void> {
    this.#fail(`the conversation ended: ${error?.message ?? 'by the service'}`);
    this.#cut++;
    this.#open = [];
    try {
      await this.#connect();
    } catch (refused) {
      this.#fail(String(refused));
      await sleep(this.newcomerEveryMs);
      if (!this.#ended) await this.#reconnect(null);
    }
  }

  #ask(): void {
    this.#asked++;
    this.#open.push(Date.now(), performance.now());
    this.#socket?.write(TIME);
  }

  #receive(text: string): void {
    this.#received += text;
    while (this.#received.length >= TIME_REPLY.length) {
      const reply = this.#received.slice(0, TIME_REPLY.length);
      this.#received = this.#received.slice(TIME_REPLY.length);
      const [askedAt = 0, since = 0] = this.#open.splice(0, 2);
      this.#latencies.push(performance.now() - since);
      if (!isRight(reply, askedAt)) this.#wrongReply(reply, askedAt);
    }
  }

  #bringNewcomer(): void {
    this.#newcomersCame++;
    const visit = this.#visit().catch((error: unknown) => this.#fail(`newcomer: ${String(error)}`));
    this.#visits.add(visit);
    void visit.then(() => this.#visits.delete(visit));
  }

  async #visit(): Promise<void> {
    const [askedAt, since] = [Date.now(), performance.now()];
    const socket = await dial(this.port);
    let reply = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      reply += text;
    });
    socket.write(TIME + QUIT);
    await closed(socket);
    if (socket.errored !== null) throw socket.errored;
    if (isRight(reply, askedAt)) this.#newcomers.push(performance.now() - since);
    else this.#wrongReply(reply, askedAt);
  }

  #wrongReply(reply: string, askedAt: number): void {
    this.#wrong++;
    const asked = new Date(askedAt).toISOString();
    this.#fail(`${JSON.stringify(reply)} came at ${new Date().toISOString()}, asked at ${asked}`);
  }

  #fail(fault: string): void {
    this.#fault ??= fault;
  }
}

/** The service runs in UTC; the second it tells is one of those between asking and answer. */
function isRight(reply: string, askedAt: number): boolean {
  const [, hours, minutes, seconds] = TIME_REPLY_FORM.exec(reply) ?? [];
  const told = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
  const first = Math.floor(askedAt / 1_000);
  const last = Math.floor(Date.now() / 1_000);
  return (told - first + 2 * DAY * DAY) % DAY <= last - first;
}
