/**
 * The limits that are meant for the whole service, shared out among its workers. Rounded up: together they may be a little above.
 * MAX_CONNECTIONS_PER_ADDRESS is not shared out: a worker may happen to have all clients of one address, none of whom is to be refused
 * below the limit.
 */
import { LINE_OPTION_BOUNDS } from '../../line-transport/index.js';
import type { Settings } from '../config/settings.js';

const { maxConnections, maxBufferedBytes } = LINE_OPTION_BOUNDS;

const SHARED = [
  ['MAX_CONNECTIONS', maxConnections],
  ['MAX_BUFFERED_BYTES', maxBufferedBytes],
] as const;

/** The part of each limit that one worker of `WORKERS` has, as it is written in the environment. */
export function sharesOf(given: Settings): Record<string, string> {
  return Object.fromEntries(
    SHARED.map(([name, { min }]) => [
      name,
      String(Math.max(Math.ceil(given[name] / given.WORKERS), min)),
    ]),
  );
}
