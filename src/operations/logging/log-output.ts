/**
 * LogOutput: where log lines go. A reader that is slow or gone costs log lines, counted and said, never memory without bound,
 * a blocked event loop or the process.
 */
import type { Writable } from 'node:stream';

/** Log lines that may wait for a slow reader, in bytes; beyond it they are dropped. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** Lines of one turn of the event loop are written together, but never more than this: a write costs more than its bytes. */
const MAX_BATCH_LENGTH = 65_536;
/** How long the last lines may take to be read when the process ends. */
const FLUSH_MS = 1_000;

export class LogOutput {
  /** What is to be written when the turn is over. */
  #batch = '';
  #dropped = 0;
  #gone = false;

  /**
   * @param stream where to write; `process.stdout` is asynchronous for pipes and sockets, synchronous for files and terminals
   * @param sayDropped makes the line that tells how many lines were dropped before it
   */
  constructor(
    private readonly stream: Writable,
    private readonly sayDropped: (count: number) => string,
  ) {
    // Without a listener, EPIPE (`| head -1`) and ENOSPC would end the process.
    stream.on('error', () => {
      this.#gone = stream.destroyed;
    });
  }

  /** Writes a line, its end included, when this turn of the event loop is over; or drops it. */
  write(line: string): void {
    if (this.#gone) return;
    if (this.stream.writableLength + this.#batch.length > MAX_WAITING_BYTES) {
      this.#dropped++;
      return;
    }
    this.#tellDropped();
    this.#add(line);
  }

  /** Writes at once what is to be written: for a process that ends in the middle of a turn. */
  writeNow(): void {
    const batch = this.#batch;
    this.#batch = '';
    if (batch !== '' && !this.#gone) this.stream.write(batch);
  }

  /** Resolves when everything written was taken, or will not be within a second. */
  flush(): Promise<void> {
    this.#tellDropped();
    this.writeNow();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FLUSH_MS);
      this.stream.write('', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #tellDropped(): void {
    if (this.#dropped === 0) return;
    const dropped = this.#dropped;
    this.#dropped = 0;
    this.#add(this.sayDropped(dropped));
  }

  #add(line: string): void {
    if (this.#batch === '') setImmediate(() => this.writeNow());
    this.#batch += line;
    if (this.#batch.length >= MAX_BATCH_LENGTH) this.writeNow();
  }
}
