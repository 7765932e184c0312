/**
 * LineWriter: the way out of a connection. Lines said in one turn of the event loop leave in one write, and a client that
 * does not read is waited for. Knows nothing of what the lines mean.
 */
import type { Writable } from 'node:stream';
import { Fifo } from './fifo.js';
import { copyOf } from './own-memory.js';

/** What was said in a turn is written at the latest when it is this long. */
const MAX_OUTGOING_LENGTH = 16_384;

/** The stream is given no more at once: it tells of a write when the whole of it is taken, so a longer one would hide who takes it slowly. */
const MAX_PIECE_LENGTH = 65_536;

/** A text that is longer is not kept to be said again. */
const MAX_KEPT_LENGTH = 512;

/** A text as it goes out. */
interface Outgoing {
  readonly text: string;
  readonly line: string;
  /** The line and its end in UTF-8, each byte a character: a string of these is quicker to write than one of Unicode. */
  readonly bytes: string;
}

/** What is kept for a client that is to read first. */
interface Kept {
  readonly pieces: Fifo<Buffer>;
  length: number;
}

/** What was said last on any connection: crowds are told the same. */
let last: Outgoing = outgoingOf('');

/** To be called every now and then: a short text may be a part of a huge one, which is kept with it. */
export function forgetLast(): void {
  last = outgoingOf('');
}

/** Whoever made it, it is one line: CR, LF and NUL inside become blanks, so nothing can forge another. */
function outgoingOf(text: string): Outgoing {
  const line = text.replace(/[\r\n\0]+/g, ' ');
  const isAscii = !/[^\0-\x7f]/.test(line);
  return { text, line, bytes: `${isAscii ? line : Buffer.from(line).toString('latin1')}\r\n` };
}

export class LineWriter {
  /** One function for all connections: a closure each would be memory an idle connection has no use for. */
  static readonly #flushScheduledBy = (writer: LineWriter): void => {
    writer.#flushScheduled = false;
    writer.flush();
  };

  /** Said, but not given to the stream; each character is a byte. */
  #outgoing = '';
  #flushScheduled = false;
  /** Whether that leaves as soon as what the stream was given before is taken. */
  #isGathering = false;
  /** The length of what was given to the stream. */
  #given = 0;
  #isBlocked = false;
  /** What is given to the stream when the client has read: as long as there is any, it is blocked. */
  #kept: Kept | undefined;
  /** Whether the stream is to end behind that. */
  #isEnding = false;
  /** Those who wait until it is not. */
  #waiting: (() => void)[] | undefined;

  /** @param onSent is told how many bytes the stream is given */
  constructor(
    private readonly stream: Writable,
    private readonly onSent?: (bytes: number) => void,
  ) {}

  /** Whether the client has to read before more is written. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Whether more can be said. */
  get isOpen(): boolean {
    return this.stream.writable && !this.#isEnding;
  }

  /** Whether nothing more can be said although nobody has ended it: 'close' is yet to come. */
  get isGone(): boolean {
    return !this.stream.writable && !this.stream.writableEnded && !this.#isEnding;
  }

  /** How much of what was said the system has not taken yet; in bytes. */
  get waiting(): number {
    return this.#outgoing.length + (this.#kept?.length ?? 0) + this.stream.writableLength;
  }

  /** How much the system has taken so far, in bytes. */
  get taken(): number {
    return this.#given - this.stream.writableLength;
  }

  /**
   * Says a line; its line end is added. It leaves with the next {@link flush}. Once the stream has ended, nothing more is said.
   * @returns the line as it is said
   */
  write(text: string): string {
    const outgoing = text === last.text ? last : outgoingOf(text);
    if (text.length <= MAX_KEPT_LENGTH) last = outgoing;
    if (this.#isEnding) return outgoing.line;
    this.#outgoing += outgoing.bytes;
    if (this.#isLong) this.flush();
    return outgoing.line;
  }

  /** Says bytes that are no line, in their place between the lines. */
  writeBytes(bytes: Buffer): void {
    if (this.#isEnding) return;
    this.#outgoing += bytes.toString('latin1');
    if (this.#isLong) this.flush();
  }

  /** Says what was said before, then closes this side. */
  end(): void {
    if (!this.isOpen) return;
    this.#flushAll();
    this.#isEnding = true;
    if (this.#kept === undefined && this.#outgoing === '') this.stream.end();
  }

  /**
   * Writes what was said so far, or as much of it as the client takes. While the system has not taken what was written before, short
   * texts gather: whatever its length, a write that waits is an object and a buffer, fifty times what three bytes are counted as.
   */
  flush(): void {
    const { writable, writableLength } = this.stream;
    if (writable && writableLength > 0 && !this.#isLong) this.#gather();
    else this.#flushAll();
  }

  get #isLong(): boolean {
    return this.#outgoing.length >= MAX_OUTGOING_LENGTH;
  }

  #gather(): void {
    if (this.#isGathering || this.#isBlocked || this.#outgoing === '') return;
    this.#isGathering = true;
    this.stream.write('', () => {
      this.#isGathering = false;
      this.#flushAll();
    });
  }

  #flushAll(): void {
    if (this.#outgoing === '') return;
    if (this.#isBlocked && !this.#isLong) return; // it is in line already
    const outgoing = this.#outgoing;
    this.#outgoing = '';
    if (outgoing.length <= MAX_PIECE_LENGTH && !this.#isBlocked) this.#send(outgoing);
    else this.#keep(Buffer.from(outgoing, 'latin1'));
  }

  /**
   * Writes what is said in this turn. A tick set inside a promise job runs when no job is left, so it collects what a whole slice
   * of lines was answered, and never holds a ready reply back behind a handler that waits for I/O.
   */
  flushSoon(): void {
    if (this.#flushScheduled || this.#outgoing === '') return;
    this.#flushScheduled = true;
    process.nextTick(LineWriter.#flushScheduledBy, this);
  }

  /** Resolves when the client has read, or is gone. */
  async untilRead(): Promise<void> {
    if (!this.#isBlocked) return;
    await new Promise<void>((resolve) => {
      (this.#waiting ??= []).push(resolve);
    });
  }

  /** The client has read, or is gone: it is given what was kept, and if that is all, those who wait go on. */
  unblock(): void {
    this.#isBlocked = false;
    this.#sendKept();
    this.#flushAll();
    if (this.#isBlocked) return;
    if (this.#isEnding) this.stream.end();
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const goOn of waiting ?? []) goOn();
  }

  /** In pieces that are let go of one by one. */
  #keep(bytes: Buffer): void {
    const kept = (this.#kept ??= { pieces: new Fifo(), length: 0 });
    for (let at = 0; at < bytes.length; at += MAX_PIECE_LENGTH) {
      kept.pieces.push(copyOf(bytes.subarray(at, at + MAX_PIECE_LENGTH)));
    }
    kept.length += bytes.length;
    this.#sendKept();
  }

  #sendKept(): void {
    const kept = this.#kept;
    if (kept === undefined) return;
    while (!this.#isBlocked) {
      const piece = kept.pieces.shift();
      if (piece === undefined) {
        this.#kept = undefined;
        return;
      }
      kept.length -= piece.length;
      this.#send(piece);
    }
  }

  #send(outgoing: string | Buffer): void {
    if (!this.stream.writable) return;
    this.#given += outgoing.length;
    this.onSent?.(outgoing.length);
    // What has to wait is bytes: a text is the thousand texts that it was made of.
    const waits = typeof outgoing === 'string' && this.stream.writableLength > 0;
    const given = waits ? Buffer.from(outgoing, 'latin1') : outgoing;
    if (!this.stream.write(given, 'latin1')) this.#isBlocked = true;
  }
}
