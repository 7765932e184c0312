/**
 * The server's end of a connection, without a network: what is sent comes at once, what is said is taken as the script wants it.
 */
import { Duplex } from 'node:stream';
import type { Script } from './script.js';

export class Wire extends Duplex {
  #said = '';
  readonly #isSlow: boolean;

  constructor({ takes, isSlow }: Script['reader']) {
    super({ allowHalfOpen: true, writableHighWaterMark: takes });
    this.#isSlow = isSlow;
  }

  /** What the client has heard; each character is a byte. */
  get said(): string {
    return this.#said;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.#said += chunk.toString('latin1');
    if (this.#isSlow) setImmediate(callback);
    else callback();
  }
}
