/**
 * ClientLimits: since when a client has been silent, has not ended its line, and has not read what it is told, as far as that was
 * looked at; and whether it is too long. Knows nothing of what is done about it.
 */
import type { ConversationHost } from './conversation-host.js';

/** Why a conversation is ended whose client takes too long. */
export type LimitReason = 'idle' | 'lineTimeout' | 'writeTimeout';

/** Milliseconds; 0 is none. */
type TimeLimits = Pick<ConversationHost, 'idleTimeoutMs' | 'lineTimeoutMs' | 'writeTimeoutMs'>;

/** What there is to see of a client. */
export interface ClientState {
  /** It has given a sign of life since it was looked at last. */
  readonly isActive: boolean;
  /** Nothing happens until it sends or reads. */
  readonly isClientsTurn: boolean;
  readonly isMidLine: boolean;
  /** A line has ended since it was looked at last: the one that is arriving is another. */
  readonly hasEndedLine: boolean;
  /** What it sends is taken; while it is not, the time of its line stands still. */
  readonly isRead: boolean;
  /** How much of what it was told it has not taken, and how much it has. */
  readonly waiting: number;
  readonly taken: number;
}

export class ClientLimits {
  // Whole milliseconds: other numbers would be objects of their own, for each client that is idle.
  #activeAt: number;
  #lookedAt: number;
  #lineSince: number | undefined;
  #taken = 0;
  #takenAt: number;

  /** @param now in milliseconds, of any clock that does not go back */
  constructor(now: number) {
    this.#activeAt = this.#lookedAt = this.#takenAt = Math.ceil(now);
  }

  /** To be called every now and then. @returns which limit is exceeded */
  exceeded(now: number, limits: TimeLimits, client: ClientState): LimitReason | undefined {
    const at = Math.ceil(now);
    this.#look(at, client);
    this.#lookedAt = at;
    if (isOver(now - this.#takenAt, limits.writeTimeoutMs)) return 'writeTimeout';
    if (client.isClientsTurn && isOver(now - this.#activeAt, limits.idleTimeoutMs)) return 'idle';
    if (this.#lineSince === undefined) return undefined;
    return isOver(now - this.#lineSince, limits.lineTimeoutMs) ? 'lineTimeout' : undefined;
  }

  #look(at: number, client: ClientState): void {
    if (client.isActive) this.#activeAt = at;
    if (client.waiting === 0 || client.taken !== this.#taken) this.#takenAt = at;
    this.#taken = client.taken;
    if (!client.isMidLine) this.#lineSince = undefined;
    else if (this.#lineSince === undefined || client.hasEndedLine) this.#lineSince = at;
    else if (!client.isRead) this.#lineSince += at - this.#lookedAt;
  }
}

function isOver(elapsed: number, limitMs: number): boolean {
  return limitMs > 0 && elapsed >= limitMs;
}
