/**
 * keepAlive: has the system ask, on a connection that is silent, whether the other end is still there. Knows nothing of lines.
 */
import type { Socket } from 'node:net';

/**
 * @param silenceMs after so long; the system counts in whole seconds, and takes none for its own two hours. 0 is never
 */
export function keepAlive(socket: Socket, silenceMs: number): void {
  if (silenceMs > 0) socket.setKeepAlive(true, Math.ceil(silenceMs / 1_000) * 1_000);
}
