/**
 * How a line server says that it cannot start, or cannot serve a stream. Knows nothing of sockets but their errors.
 */
import type { Duplex } from 'node:stream';
import { LineError } from './line-errors.js';
import type { LineServerOptions } from './line-options.js';

type Where = Pick<LineServerOptions, 'host' | 'port' | 'path' | 'fd' | 'acceptor'>;

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already; stop it or choose another port',
  EACCES: 'this user may not; choose a port above 1023, or a path in a folder it may write to',
  EADDRNOTAVAIL: 'this machine has no such address; choose one it has, or none for all',
  ENOTFOUND: 'the name does not resolve; check the host',
};

export const NO_HANDLERS = 'The line server has no handlers yet: call `await app.init()` first.';

/** Why no conversation can be had over a stream. */
export function streamFault(stream: Duplex): string | undefined {
  if (stream.destroyed) return 'The stream is destroyed.';
  // A stream of other making than Node's may not know of encodings at all.
  return typeof stream.readableEncoding === 'string'
    ? 'The stream is to give bytes, without setEncoding().'
    : undefined;
}

/** A server that was closed while it was about to listen. */
export function closedEarly(): LineError {
  return new LineError('ERR_LINE_LISTEN', 'The line server was closed before it listened.');
}

/** Proxies that bring clients with TLS over a Unix domain socket. */
export function localProxy(): LineError {
  return new LineError(
    'ERR_LINE_LISTEN',
    'Cannot listen on a Unix domain socket with both tls and proxyProtocolTrust: leave TLS to the proxy, or listen on a port.',
  );
}

/** What Node says of TLS options that it does not take. */
export function tlsRefusal(error: unknown): string {
  return `The tls options are refused: ${error instanceof Error ? error.message : String(error)}.`;
}

/**
 * What keeps a server from listening, in words that name the place and the remedy: an `ERR_LINE_LISTEN`.
 *
 * @param options where it was to listen
 * @param error what the system says, or the transport itself
 */
export function listenError(options: Where, error: unknown): LineError {
  if (error instanceof LineError) return error;
  const { code, message }: NodeJS.ErrnoException =
    error instanceof Error ? error : new Error(String(error));
  const fault = `${faultOf(code, options) ?? message}${code === undefined ? '' : ` (${code})`}`;
  return new LineError('ERR_LINE_LISTEN', `Cannot listen ${placeOf(options)}: ${fault}.`, {
    cause: error,
  });
}

function placeOf({ acceptor, fd, path, host, port }: Where): string {
  if (acceptor !== undefined) return 'by way of the acceptor';
  if (fd !== undefined) return `on descriptor ${fd}`;
  return `on ${path ?? `port ${port}${host === undefined ? '' : ` of ${host}`}`}`;
}

/** @param code the system's, which means little for a descriptor: it is not one to accept clients from */
function faultOf(code: string | undefined, { fd, acceptor }: Where): string | undefined {
  if (code === undefined || acceptor !== undefined) return undefined;
  if (fd === undefined || code === 'EADDRINUSE') return LISTEN_FAULTS[code];
  return 'it is no listening socket; have whoever starts the process open one, or leave fd out';
}
