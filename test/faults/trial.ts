/**
 * Trial: one conversation with a real server over a faulty stream, held against the model of it. Whenever everything has come to
 * rest, the client has exactly what the model says; after a fault it has the begin of that, up to where the fault was.
 */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { vi } from 'vitest';
import type { EndReason, LineConnection, LineServer } from '../../src/line-transport/index.js';
import { leave, streams } from './commands.js';
import { FaultyStream, type FaultyStreamOptions, systemError } from './faulty-stream.js';
import { Model } from './model.js';

/** The limits of the server in ticks, which is how often it looks at them; the clock is the test's. */
export const TICK_MS = 250;
export const LIMITS = {
  handlerTimeoutMs: 4 * TICK_MS,
  lineTimeoutMs: 12 * TICK_MS,
  writeTimeoutMs: 16 * TICK_MS,
  idleTimeoutMs: 200 * TICK_MS,
  shutdownGraceMs: 2 * TICK_MS,
};
/** A limit is counted from when it is first looked at. */
const LATE_TICKS = 2;
/** Turns of the event loop after which what has not happened never will. */
const MAX_TURNS = 5_000;
/** Turns after which nothing more happens by itself. */
const QUIET_TURNS = 3;

/** What is still at work for a client that has gone. */
const NOTHING_LEFT = { handlers: 0, streams: 0 };

export type Action =
  | {
      readonly does: 'send';
      readonly text: string;
      /** Bytes of a chunk. */
      readonly size: number;
      readonly isSlow: boolean;
    }
  | { readonly does: 'fin' | 'rest' | 'turn' | 'read all' | 'push' | 'close server' | 'pass time' }
  | { readonly does: 'give' | 'read'; readonly count: number }
  | { readonly does: 'reset' | 'fail fin'; readonly code: string }
  | { readonly does: 'vanish' }
  | { readonly does: 'fail write'; readonly after: number; readonly code: string };

/** How the client of a conversation takes its end. */
export type Ending = 'closes too' | 'stays' | 'cuts';

export interface Circumstances {
  readonly stream: FaultyStreamOptions;
  readonly greeting: string | undefined;
  readonly maxProtocolErrors: number;
  readonly lineGraceMs: number;
  readonly ending: Ending;
}

export class Trial {
  readonly #server: LineServer;
  readonly #circumstances: Circumstances;
  readonly #stream: FaultyStream;
  readonly #model: Model;
  readonly #connection: LineConnection;
  readonly #before: ReturnType<LineServer['stats']>;
  readonly #reasons: EndReason[];
  /** Why the conversation may be over, once it was cut. */
  #cut: readonly EndReason[] | undefined;
  #failure: { readonly at: number; readonly code: string } | undefined;
  #finFailure: string | undefined;
  /** How much the client has, if it is known where the conversation was cut. */
  #failedAt: number | undefined;
  #closing: Promise<void> | undefined;
  #isCounted = true;

  /** @param reasonsOf why the conversations are over that are; every one of them, also a second one for the same conversation */
  constructor(
    server: LineServer,
    circumstances: Circumstances,
    reasonsOf: (connection: LineConnection) => EndReason[],
  ) {
    this.#server = server;
    this.#circumstances = circumstances;
    this.#before = server.stats();
    this.#stream = new FaultyStream(circumstances.stream);
    const { greeting, maxProtocolErrors, lineGraceMs } = circumstances;
    this.#model = new Model(greeting, maxProtocolErrors, lineGraceMs > 0);
    this.#connection = server.serve(this.#stream);
    this.#reasons = reasonsOf(this.#connection);
  }

  async do(action: Action): Promise<void> {
    if (this.#closing === undefined) return this.#do(action);
    // A server that closes ends the conversation as soon as it can: what else happens then is too late, or else it is not.
    const isSaid = action.does === 'send' || action.does === 'fin';
    if (isSaid && !(await this.#isReading())) return;
    await this.#do(action);
    await this.#rest();
  }

  async #do(action: Action): Promise<void> {
    const [model, stream] = [this.#model, this.#stream];
    switch (action.does) {
      case 'send':
        return this.#send(action.text, action.size, action.isSlow);
      case 'fin':
        stream.sendFin();
        if (!stream.destroyed) model.sendFin();
        return;
      case 'rest':
        return this.#rest();
      case 'turn':
        await nextTurn();
        return;
      case 'give':
        leave.give(action.count);
        model.give(action.count);
        return;
      case 'read':
        stream.takeMore(action.count);
        return;
      case 'read all':
        stream.takeMore(Infinity);
        return;
      case 'push':
        return this.#push();
      case 'reset':
        return this.#destroy(action.code);
      case 'vanish':
        return this.#destroy();
      case 'fail write':
        this.#failure ??= { at: stream.failAfter(action.after, action.code), code: action.code };
        return;
      case 'fail fin':
        stream.failFin(action.code);
        this.#finFailure ??= action.code;
        return;
      case 'close server':
        return this.#closeServer();
      case 'pass time':
        return this.#passTime();
    }
  }

  /** Has the conversation end, if it has not, and looks at what is left of it. */
  async finish(): Promise<void> {
    await this.do({ does: 'read all' });
    await this.do({ does: 'give', count: 10_000 });
    if (this.#circumstances.ending !== 'closes too') await this.#rest();
    if (!this.#connection.over) await this.do({ does: 'fin' });
    await this.#rest();
    while (!this.#connection.over) await this.#passTime();
    await this.#goAway();
    await this.#closing;
    if (this.#closing !== undefined) {
      await new Promise<unknown>((resolve) => {
        this.#server.listen(resolve);
      });
    }
    this.#holdEnd();
  }

  /** Whatever became of it, it leaves nothing to the next one. */
  async clear(): Promise<void> {
    this.#stream.destroy();
    await this.#until(() => this.#stream.closed);
    await this.#quiet();
    leave.reset();
    streams.open = 0;
  }

  async #send(text: string, size: number, isSlow: boolean): Promise<void> {
    const isHeard = !this.#stream.destroyed;
    for (let start = 0; start < text.length; start += size) {
      this.#stream.send(text.slice(start, start + size));
      if (isSlow) await nextTurn();
    }
    if (isHeard) this.#model.send(text);
  }

  async #push(): Promise<void> {
    if (!(await this.#isReading())) return;
    assert.equal(this.#connection.push(['news', 'more']), this.#model.push('news'));
    this.#model.push('more');
    await this.#rest();
  }

  #destroy(code?: string): void {
    if (this.#stream.destroyed) return;
    const { reason } = this.#model;
    const cut = code === undefined ? 'error' : reasonFor(code);
    // What was about to happen in this turn may have happened or not.
    this.#failIfDue();
    if (!this.#connection.over) {
      this.#cut = [cut, ...(this.#cut ?? []), ...(reason === undefined ? [] : [reason])];
      this.#failedAt = undefined;
    }
    this.#stream.destroy(code === undefined ? undefined : systemError(code));
  }

  async #closeServer(): Promise<void> {
    if (this.#closing !== undefined) return;
    await this.#rest();
    this.#closing = this.#server.close();
    this.#model.drain();
    await this.#rest();
  }

  /** So much that something comes of it: whatever is waited for is late. */
  async #passTime(): Promise<void> {
    await this.#rest();
    const [model, stream, connection] = [this.#model, this.#stream, this.#connection];
    if (connection.over) return;
    if (this.#closing !== undefined) {
      this.#cut = ['shutdown'];
      await this.#tick(LIMITS.shutdownGraceMs);
    } else if (stream.taken.length < model.told.length) {
      this.#cut = ['writeTimeout'];
      this.#isCounted = false; // any handler may be given up meanwhile, and another line be served
      await this.#tick(LIMITS.writeTimeoutMs);
    } else if (model.isServing) {
      model.giveUp();
      const before = stream.taken;
      const isTold = (): boolean => stream.taken !== before && stream.taken === this.#expected;
      await this.#tick(LIMITS.handlerTimeoutMs, () => stream.destroyed || isTold());
    } else {
      model.beSilent();
      if (model.told.length > stream.willTake) {
        this.#failIfDue(); // the next byte may be the one that fails
        this.#cut ??= [model.reason === 'idle' ? 'idle' : 'writeTimeout'];
      }
      await this.#tick(TICK_MS); // more than the line grace
      const isEnough = (): boolean => connection.over || model.reason === undefined;
      await this.#tick(LIMITS.idleTimeoutMs, isEnough);
    }
    await this.#rest();
  }

  async #tick(limitMs: number, isEnough = (): boolean => false): Promise<void> {
    for (let ticks = limitMs / TICK_MS + LATE_TICKS; ticks > 0 && !isEnough(); ticks--) {
      vi.advanceTimersByTime(TICK_MS);
      await this.#quiet();
    }
  }

  /** What the client has now, if everything has come to rest. */
  get #expected(): string {
    const end = Math.min(this.#stream.willTake, this.#failure?.at ?? Infinity);
    return this.#model.told.slice(0, end);
  }

  /** Whether the client reads, and everything has come to rest. */
  async #isReading(): Promise<boolean> {
    await this.#rest();
    return this.#cut === undefined && this.#stream.willTake === Infinity;
  }

  /** Everything comes to rest, and the client has what the model says. */
  async #rest(): Promise<void> {
    const [stream, model] = [this.#stream, this.#model];
    const expected = this.#expected;
    this.#failIfDue();
    if (this.#cut !== undefined) {
      await this.#until(() => stream.closed);
      await this.#quiet();
      assert.equal(stream.taken, model.told.slice(0, this.#failedAt ?? stream.taken.length));
      assert.deepEqual({ handlers: leave.waiting, streams: streams.open }, NOTHING_LEFT);
      return;
    }
    const isEnd = model.reason !== undefined && expected.length === model.told.length;
    await this.#until(() => stream.taken === expected && stream.isFinTaken === isEnd);
    await this.#quiet();
    const { taken, isFinTaken } = stream;
    assert.deepEqual({ taken, isFinTaken }, { taken: expected, isFinTaken: isEnd });
    assert.equal(this.#connection.over, isEnd);
  }

  /** The client takes so much that the failure comes that was set up. */
  #failIfDue(): void {
    if (this.#cut !== undefined || this.#stream.isFinTaken) return;
    const { told, reason } = this.#model;
    const { at, code } = this.#failure ?? { at: Infinity, code: '' };
    const { willTake } = this.#stream;
    if (told.length > at && willTake >= at) {
      this.#cut = [reasonFor(code)];
      this.#failedAt = at;
    } else if (reason !== undefined && willTake >= told.length && this.#finFailure !== undefined) {
      this.#cut = [reasonFor(this.#finFailure)];
      this.#failedAt = told.length;
    }
  }

  async #until(isSo: () => boolean): Promise<void> {
    for (let turn = 0; turn < MAX_TURNS && !isSo(); turn++) await nextTurn();
  }

  async #quiet(): Promise<void> {
    for (let turn = 0; turn < QUIET_TURNS; turn++) await nextTurn();
  }

  async #goAway(): Promise<void> {
    const stream = this.#stream;
    const { ending } = this.#circumstances;
    if (ending === 'closes too') stream.sendFin();
    else if (ending === 'cuts') stream.destroy(systemError('ECONNRESET'));
    else vi.advanceTimersByTime(1_000);
    await this.#until(() => stream.closed);
    await this.#quiet();
    assert.equal(stream.closed, true);
  }

  #holdEnd(): void {
    const [model, before, after] = [this.#model, this.#before, this.#server.stats()];
    const [reason, ...others] = this.#reasons;
    const allowed: readonly unknown[] = this.#cut ?? [model.reason];
    assert.ok(reason !== undefined && allowed.includes(reason), `${reason}, not ${allowed.join()}`);
    assert.deepEqual(others, []);
    assert.equal(this.#server.connections.size, 0);
    assert.deepEqual({ handlers: leave.waiting, streams: streams.open }, NOTHING_LEFT);
    assert.equal(after.bufferedBytes, 0);
    assert.deepEqual(after.connections, {
      ...before.connections,
      accepted: before.connections.accepted + 1,
      ended: { ...before.connections.ended, [reason]: before.connections.ended[reason] + 1 },
    });
    if (!this.#isCounted) return;
    const [counted, said] = [count(before, after), counters(model)];
    if (this.#cut === undefined) assert.deepEqual(counted, said);
    else
      assert.deepEqual(
        counted,
        counted.map((counter, at) => Math.min(counter, said[at] ?? 0)),
      );
  }
}

function counters(model: Model): number[] {
  const { lines, handlerErrors, rejected, unknownCommands, overlongLines } = model;
  return [lines + overlongLines, handlerErrors, rejected, unknownCommands, overlongLines];
}

type Stats = ReturnType<LineServer['stats']>;

function count(before: Stats, after: Stats): number[] {
  const [then, now] = [before, after].map(({ lines, handlerErrors, rejected, protocolErrors }) => [
    lines,
    handlerErrors,
    rejected,
    protocolErrors.unknownCommand,
    protocolErrors.lineTooLong,
  ]);
  return (now ?? []).map((counter, at) => counter - (then?.[at] ?? 0));
}

/** A client that is gone has cut the connection; anything else is the system's fault. */
function reasonFor(code: string): EndReason {
  return code === 'ECONNRESET' || code === 'EPIPE' ? 'reset' : 'error';
}
