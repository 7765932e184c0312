/**
 * LineBudget: how much of the log the lines of one client may fill, so that no client fills a disk. What is beyond is counted, and
 * said. Knows nothing of what is logged.
 */

/** A client that was quiet may fill so many seconds' worth at once. */
const BURST_SECONDS = 10;
const SECOND_MS = 1_000;
/** What counts as one line of log; a longer one counts as several. */
const LINE_LENGTH = 128;

/** What is left to one client. */
interface Account {
  lines: number;
  /** When lines were added last, in milliseconds of {@link LineBudget}'s clock. */
  since: number;
  omitted: number;
}

/** @typeParam Client an object for each client */
export class LineBudget<Client extends object> {
  /** Made for a client's first line: a crowd that is silent costs nothing. */
  readonly #accounts = new WeakMap<Client, Account>();
  readonly #burst: number;

  /**
   * @param rate lines a second for each client
   * @param sayOmitted says that so many lines of a client were left out, once a second at most
   * @param now milliseconds, of a clock that does not go back
   */
  constructor(
    private readonly rate: number,
    private readonly sayOmitted: (client: Client, count: number) => void,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#burst = BURST_SECONDS * rate;
  }

  /** @param write logs a line and tells its length; it is not called when the line is left out */
  spend(client: Client, write: () => number): void {
    const account = this.#accountOf(client);
    if (account.lines > 0) account.lines -= Math.ceil(write() / LINE_LENGTH);
    else account.omitted++;
  }

  /** Nothing more is logged of this client: says what was left out last. */
  close(client: Client): void {
    const account = this.#accounts.get(client);
    if (account !== undefined) this.#tellOmitted(client, account);
  }

  /** Lines are added once a second, so that what is left out is left out in one piece, and a clock is all it takes. */
  #accountOf(client: Client): Account {
    const now = this.now();
    const known = this.#accounts.get(client);
    if (known === undefined) {
      const account = { lines: this.#burst, since: now, omitted: 0 };
      this.#accounts.set(client, account);
      return account;
    }
    const elapsed = now - known.since;
    if (elapsed >= SECOND_MS) {
      known.lines = Math.min(known.lines + (elapsed / SECOND_MS) * this.rate, this.#burst);
      known.since = now;
      this.#tellOmitted(client, known);
    }
    return known;
  }

  #tellOmitted(client: Client, account: Account): void {
    if (account.omitted === 0) return;
    const { omitted } = account;
    account.omitted = 0;
    this.sayOmitted(client, omitted);
  }
}
