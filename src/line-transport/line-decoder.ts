/**
 * LineDecoder: bytes in, lines out, one at a time and only when asked, so that whoever serves the lines
 * decides the pace and nothing is decoded ahead. Pure: no I/O, no timers. Lines end in LF or CR LF; the length
 * limit lives here. Knows nothing of what a line means.
 *
 * A line is told by where its bytes are, and not copied: most lines are commands that are known by their bytes (bench/README.md).
 */
import { Fifo } from './fifo.js';
import { lineText } from './line-text.js';
import { copyOf } from './own-memory.js';
import { TelnetFilter, TIMING_MARK, type TelnetInput } from './telnet-filter.js';

/** A line has come: the decoder's `bytes` from `start` up to `end`, without its LF. */
export const LINE = Symbol('line');
/** Comes out in place of a line that is longer than the limit, once, as soon as that is certain. */
export const OVERLONG = Symbol('line too long');

/** What has come next. */
export type Decoded = typeof LINE | typeof OVERLONG | typeof TIMING_MARK;

const LF = 0x0a;
const CR = 0x0d;
const EMPTY = Buffer.alloc(0);
/** A mark counts as so much: it keeps the text before it and behind it apart, and a piece costs about that beside its bytes. */
const TIMING_MARK_BYTES = 256;
/** Pieces that wait are put together up to here: thousands of single bytes would cost hundreds of times what they are counted as. */
const SMALL_BYTES = 1_024;
/** Up to here a loop finds a line end faster than a call out of JavaScript does. */
const SHORT_LINE = 32;

export class LineDecoder {
  /** Where the line is that came last; valid until the next is asked for. */
  bytes: Buffer = EMPTY;
  start = 0;
  end = 0;
  readonly #maxLineBytes: number;
  readonly #telnet = new TelnetFilter();
  /** Filtered input not yet decoded: the first of it, which is decoded up to `#offset`, and what has come behind it. */
  #head: TelnetInput | undefined;
  #offset = 0;
  #queue: Fifo<TelnetInput> | undefined;
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

  /** What was pushed and is not yet decoded, in bytes that it costs. */
  get pendingBytes(): number {
    return this.#pendingBytes - this.#offset;
  }

  /** All that is kept: that, and the begin of the line that is arriving. */
  get heldBytes(): number {
    return this.pendingBytes + this.#partial.length;
  }

  /** The bytes of a line whose end has not arrived; `undefined` between lines. */
  get unfinished(): Buffer | undefined {
    return this.#partialLength > 0 ? this.#partial.subarray(0, this.#partialLength) : undefined;
  }

  /** Whether a line has begun that has not ended, one that is too long included; what was served before its end has ended. */
  get isMidLine(): boolean {
    return this.#partialLength > 0 || this.#discarding;
  }

  /** Adds input. The chunk must not be changed afterwards. */
  push(chunk: Buffer): void {
    if (this.#telnet.isText(chunk)) this.#add(chunk);
    else for (const input of this.#telnet.filter(chunk)) this.#add(input);
  }

  /** Says that no more input will come: a last line without a line end counts as a line. */
  finish(): void {
    this.#ended = true;
  }

  /** Makes the unfinished line the next line; if only blanks follow up to its line end, they are swallowed. */
  finishLine(): void {
    this.#early = 'due';
  }

  /** What has come next; `undefined` until more input comes. */
  next(): Decoded | undefined {
    if (this.#early === 'due') {
      this.#early = 'served';
      return this.#takePartial();
    }
    for (let head = this.#head; head !== undefined; head = this.#head) {
      if (head === TIMING_MARK) {
        this.#drop(TIMING_MARK_BYTES);
        return TIMING_MARK;
      }
      const decoded = this.#decode(head);
      if (decoded !== undefined) return decoded;
    }
    if (this.#ended && this.#partialLength > 0) {
      this.#takePartial();
      return this.#unlessServed();
    }
    this.bytes = EMPTY; // or an idle connection would keep the chunk its last line came in
    return undefined;
  }

  #add(input: TelnetInput): void {
    this.#pendingBytes += input === TIMING_MARK ? TIMING_MARK_BYTES : input.length;
    if (this.#head === undefined) this.#head = input;
    else if (this.#queue === undefined) (this.#queue = new Fifo()).push(input);
    else this.#enqueue(this.#queue, input);
  }

  #enqueue(queue: Fifo<TelnetInput>, input: TelnetInput): void {
    const { last } = queue;
    const isText = Buffer.isBuffer(last) && Buffer.isBuffer(input);
    if (isText && last.length + input.length <= SMALL_BYTES) queue.replaceLast(copyOf(last, input));
    else queue.push(input);
  }

  #decode(input: Buffer): Decoded | undefined {
    const start = this.#offset;
    const lineEnd = lineEndOf(input, start);
    const finished = lineEnd !== -1;
    const end = finished ? lineEnd : input.length;
    this.#offset = finished ? end + 1 : end;
    if (this.#offset === input.length) this.#drop(input.length);
    if (this.#discarding) {
      this.#discarding = !finished;
      return undefined;
    }
    if (this.#exceedsLimit(input, start, end)) {
      this.#discarding = !finished;
      this.#takePartial();
      this.#early = 'no';
      return OVERLONG;
    }
    if (finished && this.#partialLength === 0) {
      this.bytes = input;
      this.start = start;
      this.end = end;
      return this.#unlessServed();
    }
    this.#appendPartial(input, start, end);
    if (!finished) return undefined;
    this.#takePartial();
    return this.#unlessServed();
  }

  /** The head is decoded. */
  #drop(bytes: number): void {
    this.#pendingBytes -= bytes;
    this.#offset = 0;
    this.#head = this.#queue?.shift();
    // A queue that has held something keeps room for more: 150 bytes that an idle connection has no use for.
    if (this.#queue?.length === 0) this.#queue = undefined;
  }

  /** A CR at the end is not counted: it is half of a line end until the next byte says otherwise. */
  #exceedsLimit(input: Buffer, start: number, end: number): boolean {
    const length = this.#partialLength + end - start;
    if (length <= this.#maxLineBytes) return false;
    const last = end > start ? input[end - 1] : this.#partial[this.#partialLength - 1];
    return length > this.#maxLineBytes + 1 || last !== CR;
  }

  #appendPartial(input: Buffer, start: number, end: number): void {
    const length = this.#partialLength + end - start;
    if (length > this.#partial.length) {
      // Doubling keeps a line that arrives byte by byte linear; the copy lets go of the chunk it came in, and is no part of another.
      const size = Math.min(Math.max(length, 64) * 2, this.#maxLineBytes + 1);
      const grown = Buffer.allocUnsafeSlow(size);
      this.#partial.copy(grown, 0, 0, this.#partialLength);
      this.#partial = grown;
    }
    input.copy(this.#partial, this.#partialLength, start, end);
    this.#partialLength = length;
  }

  #takePartial(): typeof LINE {
    this.bytes = this.#partial;
    this.start = 0;
    this.end = this.#partialLength;
    this.#partial = EMPTY;
    this.#partialLength = 0;
    return LINE;
  }

  #unlessServed(): typeof LINE | undefined {
    if (this.#early === 'no') return LINE;
    const isRest = this.#early === 'served' && lineText(this.bytes, this.start, this.end) === '';
    this.#early = 'no';
    return isRest ? undefined : LINE;
  }
}

function lineEndOf(bytes: Buffer, from: number): number {
  const soon = Math.min(from + SHORT_LINE, bytes.length);
  for (let at = from; at < soon; at++) if (bytes[at] === LF) return at;
  return soon === bytes.length ? -1 : bytes.indexOf(LF, soon);
}
