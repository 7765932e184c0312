/**
 * Load: several hundred clients that ask for the time without end and count what they get, while somebody restarts what serves them.
 * Knows nothing of who serves, and how.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { TestClient } from './line-client.js';

const TIME = 'TIME\r\n';
const QUIT = 'QUIT\r\n';
const REPLY = /^JAM \d\d:\d\d:\d\d$/;

/** How a client converses. */
type Kind = 'short' | 'pipelined' | 'long';

/** How many clients there are of each kind. */
export type Clients = Readonly<Record<Kind, number>>;

export class Load {
  /** Conversations begun: connections that were made. */
  conversations = 0;
  /** TIMEs sent. */
  asked = 0;
  /** Their replies. */
  answered = 0;
  /**
   * TIMEs without a reply because the server closed its side while they were under way. The client knows: it reads the end where
   * the reply would be. Only a long conversation may end so.
   */
  crossed = 0;
  /** Long conversations that the server ended. */
  sentAway = 0;
  /** What may not happen, and did. */
  readonly faults: string[] = [];
  #isOver = false;
  readonly #clients: readonly Promise<void>[];

  /**
   * - short: asks once to five times, waiting for each reply, and says QUIT; nobody may end it before
   * - pipelined: sends up to 20 TIMEs and QUIT at once; as strict
   * - long: asks on and on, some lines at a time, and connects anew when it reads the end
   */
  constructor(
    private readonly port: number,
    clients: Clients,
  ) {
    const kinds = (['short', 'pipelined', 'long'] as const).flatMap((kind) =>
      Array.from({ length: clients[kind] }, () => kind),
    );
    this.#clients = kinds.map((kind, number) => this.#live(kind, number));
  }

  /** Lets every client finish its conversation, with QUIT. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#clients);
  }

  /** @param number so that no two clients do the same at the same time, and each run is like the last */
  async #live(kind: Kind, number: number): Promise<void> {
    for (let turn = number; !this.#isOver; turn++) {
      await sleep(pauseMs(turn));
      try {
        const client = await TestClient.connect(this.port);
        this.conversations++;
        await this.#converse(kind, client, turn);
      } catch (error) {
        this.faults.push(`${kind}: ${String(error)}`);
      }
    }
  }

  async #converse(kind: Kind, client: TestClient, turn: number): Promise<void> {
    if (kind === 'long') await this.#askOn(client, turn);
    if (kind === 'short') await this.#askSome(client, 1 + (turn % 5));
    if (kind === 'pipelined') await this.#askAtOnce(client, 1 + (turn % 20));
  }

  async #askSome(client: TestClient, times: number): Promise<void> {
    for (let asked = 0; asked < times; asked++) {
      client.send(TIME);
      await this.#hear(client, 1);
    }
    await quit(client.send(QUIT));
  }

  async #askAtOnce(client: TestClient, times: number): Promise<void> {
    client.send(TIME.repeat(times) + QUIT);
    await this.#hear(client, times);
    await quit(client);
  }

  async #askOn(client: TestClient, number: number): Promise<void> {
    const ended = client.ended();
    for (let turn = number; !this.#isOver; turn++) {
      await Promise.race([ended, sleep(pauseMs(turn))]);
      if (client.socket.readableEnded) break;
      const times = 1 + (turn % 3);
      client.send(TIME.repeat(times));
      const unanswered = await this.#hearUntilTheEnd(client, times);
      this.crossed += unanswered;
      if (unanswered > 0) break;
    }
    if (client.socket.readableEnded) this.sentAway++;
    else client.send(QUIT);
    await quit(client);
  }

  /** Takes the replies that must come. */
  async #hear(client: TestClient, times: number): Promise<void> {
    const unanswered = await this.#hearUntilTheEnd(client, times);
    if (unanswered > 0) throw new Error(`${unanswered} of ${times} lines were not answered`);
  }

  /** @returns how many replies are missing, because the server has closed its side */
  async #hearUntilTheEnd(client: TestClient, times: number): Promise<number> {
    this.asked += times;
    for (let missing = times; missing > 0; missing--) {
      const reply = await client.line().catch(() => undefined);
      if (reply === undefined) return missing;
      if (!REPLY.test(reply)) throw new Error(`no time: ${JSON.stringify(reply)}`);
      this.answered++;
    }
    return 0;
  }
}

/** Reads the end, which is an end and not a cut, and behind the last reply. */
async function quit(client: TestClient): Promise<void> {
  const rest = await client.transcript();
  if (rest !== '') throw new Error(`after the last reply: ${JSON.stringify(rest)}`);
  client.end();
}

/** A different one from turn to turn, half a second on average. */
function pauseMs(turn: number): number {
  return 10 + ((turn * 137) % 980);
}
