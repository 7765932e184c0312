/**
 * LogOutput: where log lines go. A reader that is slow or gone costs log lines, counted and said, never memory without bound,
 * a blocked event loop or the process.
 */
import type { Writable } from 'node:stream';

/** Log lines that may wait for a slow reader, in bytes; beyond it they are dropped. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How long the last lines may take to be read when the process ends. */
const FLUSH_MS = 1_000;

export class LogOutput {
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

  /** Writes a line, its end included, or drops it. */
  write(line: string): void {
    if (this.#gone) return;
    if (this.stream.writableLength > MAX_WAITING_BYTES) {
      this.#dropped++;
      return;
    }
    this.#tellDropped();
    this.stream.write(line);
  }

  /** Resolves when everything written was taken, or will not be within a second. */
  flush(): Promise<void> {
    this.#tellDropped();
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
    this.stream.write(this.sayDropped(dropped));
  }
}
