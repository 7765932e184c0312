/**
 * RefusedClients: those for whom there is no room, and who are told so. Knows nothing of why, and of lines but the one that says it.
 */
import type { Socket } from 'node:net';
import { LineWriter } from './line-writer.js';

/** How long a client may take to read it. */
const REFUSAL_MS = 1_000;
/** Clients that are told at the same time; with one more, the one that has had the longest time to read is cut. */
const MAX_TOLD = 100;

export class RefusedClients {
  /** The longest first. */
  readonly #told = new Set<Socket>();
  #maxTold = MAX_TOLD;

  /** @param refusal what they are told */
  constructor(private readonly refusal: string) {}

  /** From now on no more than so many at the same time. */
  lower(max: number): void {
    this.#maxTold = Math.min(max, MAX_TOLD);
  }

  /** Tells a client that it is not served; what it says meanwhile is dropped. */
  tell(socket: Socket): void {
    const [longest] = this.#told;
    if (this.#told.size >= this.#maxTold) longest?.destroy();
    this.#told.add(socket);
    const timer = setTimeout(() => socket.destroy(), REFUSAL_MS);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#told.delete(socket);
    });
    const writer = new LineWriter(socket);
    writer.write(this.refusal);
    writer.end();
    socket.resume();
  }

  cut(): void {
    for (const socket of this.#told) socket.destroy();
  }
}
