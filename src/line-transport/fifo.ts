/**
 * Fifo: a queue that stays fast when it is long: taking each off the front of a long array is slow. Pure.
 */

/** What was taken is dropped this many at a time. */
const TAKEN_AT_MOST = 1_024;

export class Fifo<T> {
  /** Those before `#head` are taken. */
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  /** The next one, which stays. */
  get first(): T | undefined {
    return this.#items[this.#head];
  }

  push(item: T): void {
    this.#items.push(item);
  }

  shift(): T | undefined {
    const { first } = this;
    if (this.length === 0) return undefined;
    this.#head++;
    if (this.#head >= TAKEN_AT_MOST || this.length === 0) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return first;
  }

  /** Takes all of them. */
  clear(): T[] {
    const rest = this.#items.slice(this.#head);
    this.#items = [];
    this.#head = 0;
    return rest;
  }
}
