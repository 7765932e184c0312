/**
 * The limits that are meant for the whole service, shared out among its workers. Rounded up: together they may be a little above.
 */
import { LINE_OPTION_BOUNDS } from '../../line-transport/index.js';
import type { Settings } from '../config/settings.js';

const { maxConnections, maxConnectionsPerAddress, maxBufferedBytes } = LINE_OPTION_BOUNDS;

const SHARED = [
  ['MAX_CONNECTIONS', maxConnections],
  ['MAX_CONNECTIONS_PER_ADDRESS', maxConnectionsPerAddress],
  ['MAX_BUFFERED_BYTES', maxBufferedBytes],
] as const;

/**
 * The part of each limit that one worker of `WORKERS` has, as it is written in the environment. A limit that is not set is not among
 * them: its default is a part of another one, and so of that one's share.
 */
export function sharesOf(given: Settings): Record<string, string> {
  return Object.fromEntries(
    SHARED.flatMap(([name, { min }]) => {
      const limit = given[name];
      if (limit === undefined) return [];
      return [[name, String(Math.max(Math.ceil(limit / given.WORKERS), min))]];
    }),
  );
}
