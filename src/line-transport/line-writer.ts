/**
 * LineWriter: the way out of a connection. Lines said in one turn of the event loop leave in one write, and a client that
 * does not read is waited for. Knows nothing of what the lines mean.
 */
import type { Writable } from 'node:stream';

/** What was said in a turn is written at the latest when it is this long. */
const MAX_OUTGOING_LENGTH = 16_384;

/** A reply that is longer is not kept to be said again. */
const MAX_KEPT_LENGTH = 512;

/** What was said last on any connection, and the line it made: crowds are told the same. */
let lastText = '';
let lastLine = '';

/** Whoever made it, it is one line: CR, LF and NUL inside become blanks, so nothing can forge another. */
function lineOf(text: string): string {
  if (text === lastText) return lastLine;
  const line = text.replace(/[\r\n\0]+/g, ' ');
  if (text.length <= MAX_KEPT_LENGTH) {
    lastText = text;
    lastLine = line;
  }
  return line;
}

export class LineWriter {
  /** One function for all connections: a closure each would be memory an idle connection has no use for. */
  static readonly #flushScheduledBy = (writer: LineWriter): void => {
    writer.#flushScheduled = false;
    writer.flush();
  };

  #outgoing = '';
  #flushScheduled = false;
  #isBlocked = false;
  /** Made for those who wait. */
  #unblocked: Promise<void> | undefined;
  #release: (() => void) | undefined;

  constructor(private readonly stream: Writable) {}

  /** Whether the client has to read before more is written. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /** Whether more can be said. */
  get isOpen(): boolean {
    return this.stream.writable;
  }

  /** How much of what was said the system has not taken yet; in characters or bytes, for a bound either will do. */
  get waiting(): number {
    return this.#outgoing.length + this.stream.writableLength;
  }

  /**
   * Says a line; its line end is added. It leaves with the next {@link flush}. Once the stream has ended, nothing more is said.
   * @returns the line as it is said
   */
  write(text: string): string {
    const line = lineOf(text);
    this.#outgoing += line;
    this.#outgoing += '\r\n';
    if (this.#outgoing.length >= MAX_OUTGOING_LENGTH) this.flush();
    return line;
  }

  /** Sends bytes that are no line, in their place between the lines. */
  writeBytes(bytes: Uint8Array): void {
    this.flush();
    this.#send(bytes);
  }

  /** Says what was said before, then closes this side. */
  end(): void {
    this.flush();
    this.stream.end();
  }

  /** Writes what was said so far. */
  flush(): void {
    if (this.#outgoing === '') return;
    const outgoing = this.#outgoing;
    this.#outgoing = '';
    this.#send(outgoing);
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
    this.#unblocked ??= new Promise((resolve) => {
      this.#release = resolve;
    });
    await this.#unblocked;
  }

  /** The client has read, or is gone. */
  unblock(): void {
    this.#isBlocked = false;
    this.#unblocked = undefined;
    this.#release?.();
  }

  #send(outgoing: string | Uint8Array): void {
    if (!this.isOpen || this.stream.write(outgoing)) return;
    this.#isBlocked = true;
  }
}
