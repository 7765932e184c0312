/**
 * LogRelay: passes what several processes write into one stream on, in whole lines. Did they write there themselves, a line could break
 * off in the middle of another: a pipe that is nearly full takes a part of what it is given.
 */
import type { Readable, Writable } from 'node:stream';

const LF = 0x0a;

export class LogRelay {
  #drained: Promise<void> | undefined;

  /** @param to when it is full, those who write wait, and drop lines by their own rule */
  constructor(private readonly to: Writable) {}

  /** Resolves when it has ended. The begin of a line whose writer died over it is left out. */
  async pass(from: Readable): Promise<void> {
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of from as AsyncIterable<Buffer>) {
      const end = chunk.lastIndexOf(LF) + 1;
      const begun = Buffer.concat([rest, chunk.subarray(0, end)]);
      rest = end === 0 ? Buffer.concat([begun, chunk]) : chunk.subarray(end);
      if (end > 0 && !this.to.write(begun)) await this.#untilDrained();
    }
  }

  /** A stream that has failed drains never: what is written to it is lost without waiting. */
  #untilDrained(): Promise<void> {
    const { to } = this;
    if (to.destroyed || !to.writableNeedDrain) return Promise.resolve();
    this.#drained ??= new Promise((resolve) => {
      const wake = (): void => {
        for (const event of ['drain', 'error', 'close']) to.off(event, wake);
        this.#drained = undefined;
        resolve();
      };
      for (const event of ['drain', 'error', 'close']) to.on(event, wake);
    });
    return this.#drained;
  }
}
