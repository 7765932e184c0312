/**
 * FaultyStream: the server's end of a connection whose network and client do what a test says: they take as many bytes as they
 * are told to, fail at a byte, vanish, and close each side when they like. Knows nothing of lines.
 */
import { Duplex } from 'node:stream';

type Done = (error?: Error | null) => void;

/** When a stream calls back that a write is done: within the call, in a tick, or in another turn of the event loop. */
export type Pace = 'now' | 'tick' | 'turn';

export interface FaultyStreamOptions {
  readonly pace: Pace;
  /** What may be written before the writer is asked to wait, in bytes. */
  readonly highWaterMark: number;
  /** Whether it is gone only a turn of the event loop after it was destroyed. */
  readonly closesLate: boolean;
}

/** The system's error with this code. */
export function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}

export class FaultyStream extends Duplex {
  /** What has reached the client (latin1). */
  taken = '';
  /** Whether the server's FIN has reached the client. */
  isFinTaken = false;
  /** How many bytes the client takes, of all that it is ever told. */
  #willTake = Infinity;
  /** At which byte writing fails, and how. */
  #failure: { readonly at: number; readonly code: string } | undefined;
  #finFailure: string | undefined;
  #isFinSent = false;
  #writing: { rest: Buffer; readonly done: Done } | undefined;
  readonly #pace: Pace;
  readonly #closesLate: boolean;

  constructor({ pace, highWaterMark, closesLate }: FaultyStreamOptions) {
    super({ allowHalfOpen: true, writableHighWaterMark: highWaterMark });
    this.#pace = pace;
    this.#closesLate = closesLate;
  }

  /** How many bytes the client takes, of all that it is ever told. */
  get willTake(): number {
    return this.#willTake;
  }

  /** The client takes that many bytes more, and then no more until this is called again. */
  takeMore(bytes: number): void {
    this.#willTake = this.taken.length + bytes;
    this.#write();
  }

  /** Writing fails when the client has taken that many bytes more, and there is another. @returns at which byte in all */
  failAfter(bytes: number, code: string): number {
    const at = this.taken.length + bytes;
    this.#failure ??= { at, code };
    this.#write();
    return this.#failure.at;
  }

  /** The server's FIN fails. */
  failFin(code: string): void {
    this.#finFailure ??= code;
  }

  /** The client sends. */
  send(bytes: string): void {
    if (!this.destroyed && !this.#isFinSent) this.push(bytes, 'latin1');
  }

  /** The client closes its side. */
  sendFin(): void {
    if (this.destroyed || this.#isFinSent) return;
    this.#isFinSent = true;
    this.push(null);
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: Done): void {
    this.#writing = { rest: chunk, done };
    this.#write();
  }

  override _writev(chunks: { readonly chunk: Buffer }[], done: Done): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), '', done);
  }

  override _final(done: Done): void {
    if (this.#finFailure !== undefined) {
      this.#later(done, systemError(this.#finFailure));
      return;
    }
    this.isFinTaken = true;
    this.#later(done);
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#writing?.done(systemError('ECANCELED'));
    this.#writing = undefined;
    if (this.#closesLate) setImmediate(done, error);
    else done(error);
  }

  #write(): void {
    const writing = this.#writing;
    if (writing === undefined) return;
    const failAt = this.#failure?.at ?? Infinity;
    const room = Math.min(this.#willTake, failAt) - this.taken.length;
    if (room > 0) {
      this.taken += writing.rest.toString('latin1', 0, room);
      writing.rest = writing.rest.subarray(room);
    }
    if (writing.rest.length === 0) this.#end(writing.done);
    else if (this.taken.length >= failAt) this.#end(writing.done, this.#failure?.code);
  }

  #end(done: Done, code?: string): void {
    this.#writing = undefined;
    this.#later(done, code === undefined ? undefined : systemError(code));
  }

  #later(done: Done, error?: Error): void {
    if (this.#pace === 'now') done(error);
    else if (this.#pace === 'tick') process.nextTick(done, error);
    else setImmediate(done, error);
  }
}
