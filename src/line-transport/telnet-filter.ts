/**
 * TelnetFilter: takes the telnet layer (RFC 854) out of a byte stream, so that what follows sees text only.
 * Pure: no I/O, no timers, three small fields of state however long or malformed a sequence is. Knows nothing
 * of lines.
 */

import { copyOf } from './own-memory.js';

/** Stands in the filtered input where the client asked for a timing mark (RFC 860). */
export const TIMING_MARK = Symbol('telnet timing mark');

/** `IAC DO TIMING-MARK`: asks when everything before it has been answered. */
export const DO_TIMING_MARK: Uint8Array = Uint8Array.of(0xff, 0xfd, 0x06);

/** `IAC WONT TIMING-MARK`: refusing is an answer too, and the only one a client waits for. */
export const WONT_TIMING_MARK = Buffer.of(0xff, 0xfc, 0x06);

/** Filtered input: text bytes, with the marks at their places between them. */
export type TelnetInput = Buffer | typeof TIMING_MARK;

const NUL = 0x00;
const CR = 0x0d;
const SE = 0xf0;
const SB = 0xfa;
const WILL = 0xfb;
const DO = 0xfd;
const DONT = 0xfe;
const IAC = 0xff;
const OPTION_TIMING_MARK = 0x06;
/** Up to here a loop is quicker than two calls out of JavaScript. */
const SHORT_CHUNK = 64;

type State = 'text' | 'command' | 'option' | 'subnegotiation' | 'subnegotiation command';

export class TelnetFilter {
  #state: State = 'text';
  #verb = 0;
  #afterCr = false;

  /** Takes a chunk that is nothing but text; if it is not, {@link filter} is to take it. */
  isText(chunk: Buffer): boolean {
    if (this.#state !== 'text' || hasTelnet(chunk)) return false;
    if (chunk.length > 0) this.#afterCr = chunk[chunk.length - 1] === CR;
    return true;
  }

  /** What is text in a chunk, in copies that hold no more memory than the text. */
  filter(chunk: Buffer): TelnetInput[] {
    const filtered: TelnetInput[] = [];
    const text = Buffer.allocUnsafe(chunk.length);
    let start = 0;
    let end = 0;
    for (const byte of chunk) {
      const outcome = this.#step(byte);
      if (outcome === 'keep') text[end++] = byte;
      if (outcome === 'mark') {
        if (end > start) filtered.push(copyOf(text.subarray(start, end)));
        start = end;
        filtered.push(TIMING_MARK);
      }
    }
    if (end > start) filtered.push(copyOf(text.subarray(start, end)));
    return filtered;
  }

  #step(byte: number): 'keep' | 'drop' | 'mark' {
    switch (this.#state) {
      case 'text':
        return this.#text(byte);
      case 'command':
        return this.#command(byte);
      case 'option':
        this.#state = 'text';
        return this.#verb === DO && byte === OPTION_TIMING_MARK ? 'mark' : 'drop';
      case 'subnegotiation':
        if (byte === IAC) this.#state = 'subnegotiation command';
        return 'drop';
      case 'subnegotiation command':
        this.#state = byte === SE ? 'text' : 'subnegotiation';
        return 'drop';
    }
  }

  #text(byte: number): 'keep' | 'drop' {
    if (byte === IAC) {
      this.#state = 'command';
      return 'drop';
    }
    const nulAfterCr = byte === NUL && this.#afterCr;
    this.#afterCr = byte === CR;
    return nulAfterCr ? 'drop' : 'keep';
  }

  #command(byte: number): 'keep' | 'drop' {
    // A doubled IAC is dropped like any other. What follows it is a command still: the urgent byte of a telnet Synch leaves
    // the stream on its way, so its IAC stands right before that of the next command.
    if (byte === IAC) return 'drop';
    if (byte >= WILL && byte <= DONT) {
      this.#verb = byte;
      this.#state = 'option';
      return 'drop';
    }
    this.#state = byte === SB ? 'subnegotiation' : 'text';
    // Below SE no telnet command exists: a stray IAC must not swallow a line end, so the byte is text.
    return byte < SE ? this.#text(byte) : 'drop';
  }
}

function hasTelnet(chunk: Buffer): boolean {
  if (chunk.length > SHORT_CHUNK) return chunk.includes(IAC) || chunk.includes(NUL);
  for (let at = 0; at < chunk.length; at++) {
    if (chunk[at] === IAC || chunk[at] === NUL) return true;
  }
  return false;
}
