/**
 * LineDecoder: bytes in, lines out, one at a time and only when asked, so that whoever serves the lines
 * decides the pace and nothing is decoded ahead. Pure: no I/O, no timers. Lines end in LF or CR LF; the length
 * limit lives here. Knows nothing of what a line means.
 */
import { lineText } from './line-text.js';
import { TelnetFilter, TIMING_MARK, type TelnetInput } from './telnet-filter.js';

/** Comes out in place of a line that is longer than the limit, once, as soon as that is certain. */
export const OVERLONG = Symbol('line too long');

/** A line's bytes without its LF (valid until the next call), or what came in the place of a line. */
export type Decoded = Buffer | typeof OVERLONG | typeof TIMING_MARK;

const LF = 0x0a;
const CR = 0x0d;
const EMPTY = Buffer.alloc(0);
/** Marks count as the bytes they came in, so that a flood of them is bounded like any other input. */
const TIMING_MARK_BYTES = 3;

export class LineDecoder {
  readonly #maxLineBytes: number;
  readonly #telnet = new TelnetFilter();
  /** Filtered input not yet decoded; the head is decoded up to `#offset`. */
  #input: TelnetInput[] = [];
  #offset = 0;
  #pendingBytes = 0;
  /** The begin of the line whose end has not arrived; never longer than the limit and a CR. */
  #partial = EMPTY;
  #partialLength = 0;
  #discarding = false;
  /** Whether the begin of this line is to be served before its end comes, or was. */
  #early: 'no' | 'due' | 'served' = 'no';
  #ended = false;

  /** @param maxLineBytes the longest line allowed, in bytes, its LF or CR LF not counted */
  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  /** Bytes pushed and not yet decoded. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** The bytes of a line whose end has not arrived; `undefined` between lines. */
  get unfinished(): Buffer | undefined {
    return this.#partialLength > 0 ? this.#partial.subarray(0, this.#partialLength) : undefined;
  }

  /** Adds input. The chunk must not be changed afterwards. */
  push(chunk: Buffer): void {
    for (const input of this.#telnet.filter(chunk)) {
      this.#pendingBytes += input === TIMING_MARK ? TIMING_MARK_BYTES : input.length;
      this.#input.push(input);
    }
  }

  /** Says that no more input will come: a last line without a line end counts as a line. */
  end(): void {
    this.#ended = true;
  }

  /** Makes the unfinished line the next line; if only blanks follow up to its line end, they are swallowed. */
  finishLine(): void {
    this.#early = 'due';
  }

  /** The next line, or `undefined` until more input comes. */
  next(): Decoded | undefined {
    if (this.#early === 'due') {
      this.#early = 'served';
      return this.#takePartial();
    }
    for (let head = this.#input[0]; head !== undefined; head = this.#input[0]) {
      if (head === TIMING_MARK) {
        this.#shift();
        this.#pendingBytes -= TIMING_MARK_BYTES;
        return TIMING_MARK;
      }
      const decoded = this.#decode(head);
      if (decoded !== undefined) return decoded;
    }
    if (!this.#ended || this.#partialLength === 0) return undefined;
    return this.#unlessServed(this.#takePartial());
  }

  #decode(input: Buffer): Decoded | undefined {
    const lineEnd = input.indexOf(LF, this.#offset);
    const finished = lineEnd !== -1;
    const rest = input.subarray(this.#offset, finished ? lineEnd : input.length);
    this.#consume(input, rest.length + (finished ? 1 : 0));
    if (this.#discarding) {
      this.#discarding = !finished;
      return undefined;
    }
    if (this.#exceedsLimit(rest)) {
      this.#discarding = !finished;
      this.#takePartial();
      this.#early = 'no';
      return OVERLONG;
    }
    if (finished && this.#partialLength === 0) return this.#unlessServed(rest);
    this.#appendPartial(rest);
    return finished ? this.#unlessServed(this.#takePartial()) : undefined;
  }

  #consume(input: Buffer, count: number): void {
    this.#pendingBytes -= count;
    this.#offset += count;
    if (this.#offset < input.length) return;
    this.#shift();
    this.#offset = 0;
  }

  /** An array that has held something keeps room for more: 150 bytes that an idle connection has no use for. */
  #shift(): void {
    if (this.#input.length > 1) this.#input.shift();
    else this.#input = [];
  }

  /** A CR at the end is not counted: it is half of a line end until the next byte says otherwise. */
  #exceedsLimit(rest: Buffer): boolean {
    const length = this.#partialLength + rest.length;
    if (length <= this.#maxLineBytes) return false;
    const last = rest.at(-1) ?? this.#partial[this.#partialLength - 1];
    return length > this.#maxLineBytes + 1 || last !== CR;
  }

  #appendPartial(bytes: Buffer): void {
    const length = this.#partialLength + bytes.length;
    if (length > this.#partial.length) {
      // Doubling keeps a line that arrives byte by byte linear; the copy lets go of the chunk it came in.
      const grown = Buffer.allocUnsafe(Math.min(Math.max(length, 64) * 2, this.#maxLineBytes + 1));
      this.#partial.copy(grown, 0, 0, this.#partialLength);
      this.#partial = grown;
    }
    bytes.copy(this.#partial, this.#partialLength);
    this.#partialLength = length;
  }

  #takePartial(): Buffer {
    const line = this.#partial.subarray(0, this.#partialLength);
    this.#partial = EMPTY;
    this.#partialLength = 0;
    return line;
  }

  #unlessServed(line: Buffer): Buffer | undefined {
    const swallowed = this.#early === 'served' && lineText(line) === '';
    this.#early = 'no';
    return swallowed ? undefined : line;
  }
}
