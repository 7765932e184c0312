/**
 * Fifo: a queue that stays fast when it is long: taking each off the front of a long array is slow. What was taken is let go of at
 * once. Pure.
 */
export class Fifo<T> {
  /** Those who are taken next, the first of them last; behind them, those who came after these. */
  #front: T[] = [];
  #back: T[] = [];

  get length(): number {
    return this.#front.length + this.#back.length;
  }

  /** The next one, which stays. */
  get first(): T | undefined {
    return this.#front.length > 0 ? this.#front.at(-1) : this.#back[0];
  }

  /** The last one, which stays. */
  get last(): T | undefined {
    return this.#back.length > 0 ? this.#back.at(-1) : this.#front[0];
  }

  push(item: T): void {
    this.#back.push(item);
  }

  /** Puts this one in the place of the last, if there is one. */
  replaceLast(item: T): void {
    if (this.#back.length > 0) this.#back[this.#back.length - 1] = item;
    else if (this.#front.length > 0) this.#front[0] = item;
  }

  shift(): T | undefined {
    if (this.#front.length === 0) {
      [this.#front, this.#back] = [this.#back.toReversed(), this.#front];
    }
    return this.#front.pop();
  }

  /** Takes all of them. */
  clear(): T[] {
    const all = [...this.#front.toReversed(), ...this.#back];
    this.#front = [];
    this.#back = [];
    return all;
  }
}
