/**
 * dial: a socket on its way to a client's server, over TCP, TLS or a Unix domain socket. Knows nothing of lines.
 */
import { connect, isIP, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ResolvedLineClientOptions } from './line-client-options.js';

/** Never throws, as Node does at some wrong TLS options: a connection that cannot be is a socket that fails. */
export function dial(options: ResolvedLineClientOptions): Socket {
  try {
    return startDialling(options);
  } catch (cause) {
    const message = `the options are refused: ${String(cause)}`;
    return new Socket().destroy(new Error(message, { cause }));
  }
}

function startDialling({ host, port, path, tls }: ResolvedLineClientOptions): Socket {
  const place = path === undefined ? { host, port } : { path };
  if (tls === false) return connect(place);
  // Unlike https, tls.connect does not name the server by itself, and one with many certificates needs the name.
  const name = path === undefined && isIP(host) === 0 ? { servername: host } : {};
  return connectTls({ ...name, ...(tls !== true && tls), ...place });
}
