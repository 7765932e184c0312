/**
 * Waiting for the PROXY header of a connection: the header is taken off it, and what follows stays for whoever reads it next. Knows
 * nothing of lines, and not whether the proxy is to be trusted.
 */
import type { Socket } from 'node:net';
import type { Ends } from './line-peer.js';
import { parseProxyHeader } from './proxy-header.js';

/** What becomes of a connection that a proxy has opened; one of these is called, once. */
export interface ProxiedFate {
  /**
   * The header has come. The socket is paused, and what came behind the header is the next that it gives.
   * @param ends the client's; `undefined` where they are those of the connection itself
   */
  onHeader(ends: Ends | undefined): void;
  /** What came is no header, or not all of one within the time. The socket is still open, unless the proxy has closed it. */
  onFault(): void;
  /** The proxy left without a byte: so it finds out whether somebody listens. */
  onProbe(): void;
}

export function awaitProxyHeader(socket: Socket, timeoutMs: number, fate: ProxiedFate): void {
  let came: Buffer | undefined;
  const read = (chunk: Buffer): void => {
    came = came === undefined ? chunk : Buffer.concat([came, chunk]);
    const header = parseProxyHeader(came);
    if (header === 'incomplete') return;
    settle();
    if (header === 'malformed') {
      fate.onFault();
      return;
    }
    socket.pause();
    const rest = came.subarray(header.length);
    if (rest.length > 0) socket.unshift(rest);
    fate.onHeader(header.ends);
  };
  const giveUp = (): void => {
    settle();
    fate.onFault();
  };
  const leave = (): void => {
    settle();
    if (came === undefined) fate.onProbe();
    else fate.onFault();
  };
  const timer = setTimeout(giveUp, timeoutMs);
  const settle = (): void => {
    clearTimeout(timer);
    socket.off('data', read).off('end', leave).off('close', leave).off('error', leaveToClose);
  };
  socket.on('data', read).on('end', leave).on('close', leave).on('error', leaveToClose);
  socket.resume(); // who accepted it may have paused it
}

/** An error is an end like others: 'close' follows. */
function leaveToClose(): void {}
