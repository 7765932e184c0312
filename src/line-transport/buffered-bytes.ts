/**
 * BufferedBytes: what a server keeps for all its clients together, and who has to wait while that is too much: the greediest, so that
 * those who ask for little notice nothing. Knows nothing of what is kept.
 */

/** The alarm ends below this part of the limit, so that it does not come and go with every chunk. */
const CALM = 0.75;

/** Whoever has to wait until the alarm ends. */
export interface Waiting {
  readOn(): void;
}

export class BufferedBytes {
  #total = 0;
  #isStrained = false;
  readonly #waiting = new Set<Waiting>();

  /**
   * @param max bytes
   * @param count of how many clients the limit is shared
   * @param onStrained the alarm has begun, or ended
   */
  constructor(
    private readonly max: number,
    private readonly count: () => number,
    private readonly onStrained: (isStrained: boolean, total: number) => void,
  ) {}

  get total(): number {
    return this.#total;
  }

  /**
   * So many bytes are kept for one of them, and so many more than before.
   * @returns whether this is one of the greediest, while too much is kept: it is told to {@link Waiting.readOn} later
   */
  change(who: Waiting, held: number, grown: number): boolean {
    this.#total += grown;
    if (!this.#isStrained && this.#total > this.max) this.#strain();
    else if (this.#isStrained && this.#total <= this.max * CALM) this.#calm();
    // Half of the limit is for those who ask for less than their share.
    const isGreedy = this.#isStrained && held > this.max / 2 / Math.max(this.count(), 1);
    if (isGreedy) this.#waiting.add(who);
    else if (this.#isStrained) this.#waiting.delete(who);
    return isGreedy;
  }

  #strain(): void {
    this.#isStrained = true;
    this.onStrained(true, this.#total);
  }

  #calm(): void {
    this.#isStrained = false;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.onStrained(false, this.#total);
    for (const each of waiting) each.readOn();
  }
}
