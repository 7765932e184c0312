/**
 * Descriptors: how many files and sockets the system lets this process have open. Knows nothing of what they are for.
 */
import { close, open, readdirSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';

/** Descriptors that are left for what is no conversation: files, connections of the application, clients that are refused. */
const MAX_RESERVE = 132;
const MIN_RESERVE = 32;
/** How often it is asked whether there are any left. */
const LOOK_MS = 1_000;

/** What the system has descriptors for. */
export interface SocketRoom {
  /** How many more sockets may be opened, with some descriptors left for other things. */
  readonly room: number;
  /** The descriptors that are left. */
  readonly reserve: number;
  /** How many descriptors there may be in all. */
  readonly limit: number;
}

/**
 * What there is room for; `undefined` where the system does not tell. Read from /proc, so on Linux alone; Node raises the soft limit to
 * the hard one when it starts.
 */
export function roomForSockets(): SocketRoom | undefined {
  try {
    const [, soft] =
      /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    if (soft === undefined) return undefined; // unlimited
    const limit = Number(soft);
    const reserve = Math.min(MAX_RESERVE, Math.max(MIN_RESERVE, Math.floor(limit / 8)));
    const used = readdirSync('/proc/self/fd').length;
    return { room: Math.max(limit - used - reserve, 1), reserve, limit };
  } catch {
    return undefined;
  }
}

/** Finds out that there are none left, while it is asked to look every now and then. */
export class DescriptorWatch {
  #lookedAt = 0;

  constructor(private readonly onNoneLeft: (error: NodeJS.ErrnoException) => void) {}

  /**
   * Node hears nothing of it where it accepts: libuv closes whom it has no descriptor for, so that they do not wait for ever
   * (https://github.com/libuv/libuv/issues/315). So a file is opened, at most once a second.
   * @param now in milliseconds
   */
  look(now: number): void {
    if (now - this.#lookedAt < LOOK_MS) return;
    this.#lookedAt = now;
    open(devNull, (error, descriptor) => {
      if (error === null) close(descriptor, () => undefined);
      else if (error.code === 'EMFILE' || error.code === 'ENFILE') this.onNoneLeft(error);
    });
  }
}
