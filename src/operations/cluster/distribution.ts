/**
 * Distribution: which worker is given which client. Clients wait here while nobody takes them, in the order in which they came.
 * Knows nothing of processes.
 */

/** Who can be given clients. */
export interface Taker<Client> {
  /** Whether one more would be served; who is full would have to refuse it. */
  readonly hasRoom: boolean;
  /** Gives it a client; not before the last one was taken. `false` if it did not take it, and never will: it is gone. */
  take(client: Client): Promise<boolean>;
}

export class Distribution<Client extends object> {
  readonly #waiting: Client[] = [];
  readonly #takers = new Set<Taker<Client>>();
  /** Those who have taken what they were given; the one that has waited longest for a client is the first. */
  readonly #free = new Set<Taker<Client>>();
  readonly #givings = new Map<Taker<Client>, Promise<void>>();

  /** @param onTaken called with each client that is a taker's from now on */
  constructor(private readonly onTaken: (client: Client) => void) {}

  add(taker: Taker<Client>): void {
    this.#takers.add(taker);
    this.#free.add(taker);
    this.#next();
  }

  /** It is given no more; resolves when it has taken what it was being given. */
  async remove(taker: Taker<Client>): Promise<void> {
    this.#takers.delete(taker);
    this.#free.delete(taker);
    await this.#givings.get(taker);
  }

  give(client: Client): void {
    this.#waiting.push(client);
    this.#next();
  }

  /** Resolves when every client is somebody's, or nobody is left to take one. */
  async settle(): Promise<void> {
    while (this.#givings.size > 0) await Promise.race(this.#givings.values());
  }

  #next(): void {
    while (this.#waiting.length > 0) {
      const taker = this.#choose();
      if (taker === undefined) return;
      const client = this.#waiting.shift();
      if (client === undefined) return;
      this.#free.delete(taker);
      this.#givings.set(taker, this.#give(client, taker));
    }
  }

  /** Who is full is asked only when all are: it refuses at once, and so would always be the first. */
  #choose(): Taker<Client> | undefined {
    const anyRoom = [...this.#takers].some((taker) => taker.hasRoom);
    return [...this.#free].find((taker) => taker.hasRoom || !anyRoom);
  }

  async #give(client: Client, taker: Taker<Client>): Promise<void> {
    const isTaken = await taker.take(client);
    this.#givings.delete(taker);
    if (isTaken) {
      this.onTaken(client);
      if (this.#takers.has(taker)) this.#free.add(taker);
    } else {
      this.#takers.delete(taker);
      this.#waiting.unshift(client); // it has waited already
    }
    this.#next();
  }
}
