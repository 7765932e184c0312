/**
 * Lingering: how a socket is closed whose client may not have read everything. Knows nothing of lines.
 */
import type { Duplex } from 'node:stream';

/**
 * After our FIN, what the client still sends is read and dropped until it has been quiet for so long: closing with unread input
 * makes the kernel send a RST (RFC 1122, 4.2.2.13), which can destroy replies the client has not read.
 */
const QUIET_MS = 1_000;
/** However much it sends. */
const MAX_MS = 10_000;

/** To be called when our FIN has left: the socket is gone a little later, if the client has not closed it before. */
export function linger(socket: Duplex): void {
  const until = performance.now() + MAX_MS;
  const timer = setTimeout(() => socket.destroy(), QUIET_MS);
  socket.on('data', () => {
    if (performance.now() < until) timer.refresh();
  });
  socket.on('close', () => clearTimeout(timer));
}
