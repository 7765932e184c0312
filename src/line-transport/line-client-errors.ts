/**
 * How a line client says that it has no connection, or none any more. Knows nothing of sockets but their errors.
 */
import type { ResolvedLineClientOptions } from './line-client-options.js';
import { LineError } from './line-errors.js';

const CONNECT_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOENT: 'nothing listens there',
  ENOTFOUND: 'the name does not resolve; check the host',
  EACCES: 'this user may not',
};

/** @param cause the socket's error, if it had one */
export function connectError(
  options: ResolvedLineClientOptions,
  cause?: NodeJS.ErrnoException,
): LineError {
  return cannotConnect(options, faultOf(cause), cause);
}

export function connectTimeoutError(options: ResolvedLineClientOptions): LineError {
  return cannotConnect(options, `no connection within ${options.connectTimeoutMs} ms`);
}

/** @param cause the socket's error; without one the server has closed */
export function lostError(options: ResolvedLineClientOptions, cause?: Error): LineError {
  const fault = cause === undefined ? 'the server closed it' : cause.message;
  return closed(`The connection to ${placeOf(options)} is lost: ${fault}.`, cause);
}

export function unwrittenError(
  options: ResolvedLineClientOptions,
  cause: Error | null | undefined,
): LineError {
  const place = placeOf(options);
  const message = `The connection to ${place} was lost before the line was written.`;
  return closed(message, cause ?? undefined);
}

export function closedError(options: ResolvedLineClientOptions): LineError {
  return closed(`The client of ${placeOf(options)} was closed.`);
}

export function unconnectedError(options: ResolvedLineClientOptions): LineError {
  return closed(`There is no connection to ${placeOf(options)}.`);
}

export function overlongError({ maxLineBytes }: ResolvedLineClientOptions): LineError {
  const message = `The server sent a line of more than ${maxLineBytes} bytes: the connection is cut.`;
  return new LineError('ERR_LINE_TOO_LONG', message);
}

function cannotConnect(
  options: ResolvedLineClientOptions,
  fault: string,
  cause?: Error,
): LineError {
  const message = `Cannot connect to ${placeOf(options)}: ${fault}.`;
  return new LineError('ERR_LINE_CONNECT', message, { cause });
}

function closed(message: string, cause?: Error): LineError {
  return new LineError('ERR_LINE_CLOSED', message, { cause });
}

function placeOf({ path, host, port }: ResolvedLineClientOptions): string {
  return path ?? `port ${port} of ${host}`;
}

function faultOf(cause: NodeJS.ErrnoException | undefined): string {
  if (cause === undefined) return 'the connection ended at once';
  // When every address of a name fails, Node's error has a code and no message.
  const message = cause.message === '' ? 'every address of the host fails' : cause.message;
  if (cause.code === undefined) return message;
  return `${CONNECT_FAULTS[cause.code] ?? message} (${cause.code})`;
}
