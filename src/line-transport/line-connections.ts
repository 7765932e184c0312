/**
 * LineConnections: all clients of a server, those who are served and those who are on their way out, and how all of them come to
 * an end. Knows nothing of where they come from.
 */
import type { LineConnection } from './line-connection.js';
import type { RefusalReason } from './line-events.js';
import { networkOf } from './line-peer.js';
import { forgetLast } from './line-writer.js';

/** So many conversations are ended between two looks at the sockets: that takes about a millisecond. */
const DRAINED_AT_ONCE = 8;
/** But no fewer than so many a millisecond; at twice the rate their own ends would make the turns longer and longer. */
const DRAINED_PER_MS = 4;

/** Time that the process stood still (a machine that sleeps, a long computation) is nobody's: no more than this passes between two looks. */
const MAX_LIVED_MS = 1_000;

export class LineConnections {
  /** The conversations that are not over. */
  readonly #open = new Set<LineConnection>();
  /** Conversations that are over, their sockets still there; the longest first. */
  readonly #lingering = new Set<LineConnection>();
  /** Those of them that were told to go at once, to make room. */
  readonly #leaving = new Set<LineConnection>();
  /** What is still done for those who have gone. */
  readonly #farewells = new Set<Promise<void>>();
  #limitsCheck: NodeJS.Timeout | undefined;
  #lookedAt = 0;
  /** Milliseconds that were lived through while anyone was there. */
  #lived = 0;
  #isCut = false;
  #onEmpty: (() => void) | undefined;
  readonly #perNetwork = new Map<string, number>();
  /** Where each conversation is counted: what an application knows of a client of its own may change meanwhile. */
  readonly #networks = new Map<LineConnection, string>();
  /** Places of clients who are not served yet. */
  #kept = 0;

  /**
   * @param max the most sockets that are kept, with those of clients who are not served yet; conversations that are over make room
   * @param maxPerAddress the most conversations with one address
   * @param onLook called as often as limits are looked at
   */
  constructor(
    private max: number,
    private maxPerAddress: number,
    private readonly onLook: (now: number) => void,
  ) {}

  get open(): ReadonlySet<LineConnection> {
    return this.#open;
  }

  /** Clients who have a place and are not served yet. */
  get arriving(): number {
    return this.#kept;
  }

  /** The most sockets that are kept now. */
  get most(): number {
    return this.max;
  }

  /** From now on no more sockets than so many, and conversations with one address. */
  limit(max: number, maxPerAddress: number): void {
    this.max = max;
    this.maxPerAddress = maxPerAddress;
  }

  /** Why one more client with this address is not to be served. */
  refusalFor(address: string | undefined): RefusalReason | undefined {
    if (this.#open.size + this.#kept >= this.max) return 'maxConnections';
    const count = address === undefined ? 0 : this.#perNetwork.get(networkOf(address));
    return (count ?? 0) >= this.maxPerAddress ? 'maxConnectionsPerAddress' : undefined;
  }

  /**
   * Keeps a place for a client who is not served yet.
   * @param address where it is counted; `undefined` for nowhere but in all
   * @returns gives the place back, once
   */
  keepPlace(address: string | undefined): () => void {
    this.makeRoom();
    const network = address === undefined ? undefined : networkOf(address);
    this.#kept++;
    this.#count(network, 1);
    let isKept = true;
    return () => {
      if (!isKept) return;
      isKept = false;
      this.#kept--;
      this.#count(network, -1);
    };
  }

  /** Makes room for one more client, if there is someone who has only to go. */
  makeRoom(): void {
    if (this.#open.size + this.#kept + this.#lingering.size < this.max) return;
    const [longest] = this.#lingering;
    if (longest === undefined) return;
    this.#lingering.delete(longest); // its descriptor is free when it is destroyed, although 'close' comes later
    this.#leaving.add(longest);
    longest.destroy('shutdown');
  }

  /** @param checkMs how often limits are looked at: by one timer for all, as long as anyone is there */
  add(connection: LineConnection, checkMs: () => number): void {
    this.#open.add(connection);
    const { remoteAddress } = connection;
    if (remoteAddress !== undefined) {
      const network = networkOf(remoteAddress);
      this.#networks.set(connection, network);
      this.#count(network, 1);
    }
    if (this.#limitsCheck !== undefined) return;
    const everyMs = checkMs();
    this.#lookedAt = performance.now();
    this.#limitsCheck = setInterval(() => {
      const isLate = performance.now() - this.#lookedAt > 2 * everyMs;
      if (isLate)
        setImmediate(() => this.#look()); // timers run before the sockets are polled: what has come is heard first
      else this.#look();
    }, everyMs);
  }

  #look(): void {
    const now = performance.now();
    this.#lived += Math.min(now - this.#lookedAt, MAX_LIVED_MS);
    this.#lookedAt = now;
    for (const each of this.#open) each.checkLimits(this.#lived);
    forgetLast();
    this.onLook(now);
  }

  /** Its conversation is over. */
  end(connection: LineConnection): void {
    this.#open.delete(connection);
    this.#count(this.#networks.get(connection), -1);
    this.#networks.delete(connection);
    this.#lingering.add(connection);
  }

  /** Its socket is gone. */
  remove(connection: LineConnection): void {
    this.#lingering.delete(connection);
    this.#leaving.delete(connection);
    this.#leave();
  }

  /** @param farewell something that is done for one who has gone; it does not reject */
  async await(farewell: Promise<void>): Promise<void> {
    this.#farewells.add(farewell);
    await farewell;
    this.#farewells.delete(farewell);
    this.#leave();
  }

  /** Whether nobody is left, and nothing to do. */
  get isEmpty(): boolean {
    const groups = [this.#open, this.#lingering, this.#leaving, this.#farewells];
    return groups.every(({ size }) => size === 0);
  }

  /** Clients are served again that come from now on. */
  reopen(): void {
    this.#isCut = false;
  }

  /** Whether clients that come now are cut, since the others have been. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /**
   * Has every conversation end as soon as what has arrived is answered. A few at a time: what comes between the last look at the sockets
   * and the end of a conversation is not answered, and the ends of a crowd take long. The slower the turns, the more at a time.
   */
  drain(): void {
    const left = Array.from(this.#open);
    let before = performance.now();
    const drainSome = (): void => {
      const now = performance.now();
      const count = Math.max(DRAINED_AT_ONCE, Math.ceil((now - before) * DRAINED_PER_MS));
      before = now;
      for (const connection of left.splice(-count)) connection.drain();
      if (left.length > 0) setImmediate(() => setImmediate(drainSome)); // when these have had their look
    };
    drainSome();
  }

  /** Cuts everyone, and does not wait for farewells any more. @returns how many conversations were not over */
  cut(): number {
    const notOver = this.#open.size;
    this.#isCut = true;
    for (const connection of this.#open) connection.destroy('shutdown');
    for (const connection of this.#lingering) connection.destroy('shutdown');
    this.#onEmpty?.();
    return notOver;
  }

  /** Resolves when nobody is left, and nothing to do; or when everyone was cut. */
  async untilEmpty(): Promise<void> {
    while (!this.isEmpty && !this.#isCut) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
  }

  /** Only those who are there are counted: clients that come and go leave nothing behind. */
  #count(network: string | undefined, change: 1 | -1): void {
    if (network === undefined) return;
    const count = (this.#perNetwork.get(network) ?? 0) + change;
    if (count === 0) this.#perNetwork.delete(network);
    else this.#perNetwork.set(network, count);
  }

  #leave(): void {
    if (this.#open.size === 0) {
      clearInterval(this.#limitsCheck);
      this.#limitsCheck = undefined;
      forgetLast();
    }
    if (this.isEmpty) this.#onEmpty?.();
  }
}
