/**
 * LineWriter: the way out of a connection. Lines said in one turn of the event loop leave in one write, and a client that
 * does not read is waited for. Knows nothing of what the lines mean.
 */
import type { Writable } from 'node:stream';

/** What was said in a turn is written at the latest when it is this long. */
const MAX_OUTGOING_LENGTH = 16_384;

export class LineWriter {
  #outgoing = '';
  #flushScheduled = false;
  #blocked: Promise<void> | undefined;
  #release: (() => void) | undefined;

  constructor(private readonly stream: Writable) {}

  /** Whether the client has to read before more is written; `undefined` if it has not, else what to wait for. */
  get blocked(): Promise<void> | undefined {
    return this.#blocked;
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
   * Says a line; its line end is added. Whoever made it, it is one line: CR, LF and NUL inside become blanks, so nothing can
   * forge another. Once the stream has ended, nothing more is said.
   * @returns the line as it is said
   */
  write(text: string): string {
    const line = text.replace(/[\r\n\0]+/g, ' ');
    if (!this.isOpen) return line;
    this.#outgoing += `${line}\r\n`;
    if (this.#outgoing.length >= MAX_OUTGOING_LENGTH) {
      this.flush();
    } else if (!this.#flushScheduled) {
      // A tick set inside a promise job runs when no job is left, so it collects what a whole slice of lines was
      // answered, and never holds a ready reply back behind a handler that waits for I/O.
      this.#flushScheduled = true;
      process.nextTick(flush, this);
    }
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
    this.#flushScheduled = false;
    if (this.#outgoing === '') return;
    const outgoing = this.#outgoing;
    this.#outgoing = '';
    this.#send(outgoing);
  }

  /** The client has read, or is gone. */
  unblock(): void {
    this.#release?.();
    this.#blocked = undefined;
  }

  #send(outgoing: string | Uint8Array): void {
    if (!this.isOpen || this.stream.write(outgoing) || this.#blocked !== undefined) return;
    this.#blocked = new Promise((resolve) => {
      this.#release = resolve;
    });
  }
}

/** One function for all connections: a closure each would be memory an idle connection has no use for. */
function flush(writer: LineWriter): void {
  writer.flush();
}
