/**
 * RestartDelay: how long the supervisor waits before it starts another worker in the place of one that has ended. Pure.
 */

const FIRST_MS = 100;
const MAX_MS = 5_000;

export class RestartDelay {
  #ends = 0;

  /** How many workers in a row have ended before they were ready. */
  get endsInARow(): number {
    return this.#ends;
  }

  /**
   * A worker has ended. One that had served is replaced at once, almost: however it ended, a new one will be of use. One that never was
   * ready may never be, and costs a core for as long as it starts; so each in a row is waited for twice as long.
   * @returns milliseconds, 100–5,000
   */
  after(wasReady: boolean): number {
    this.#ends = wasReady ? 0 : this.#ends + 1;
    return Math.min(FIRST_MS * 2 ** Math.max(this.#ends - 1, 0), MAX_MS);
  }
}
