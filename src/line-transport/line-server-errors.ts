/**
 * How a line server says that it cannot start. Knows nothing of sockets but their errors.
 */
import type { MsPattern } from '@nestjs/microservices';
import { Declaration, UNKNOWN_COMMAND } from './command.decorator.js';
import { LineError } from './line-errors.js';
import type { ResolvedLineServerOptions } from './line-options.js';

const LISTEN_FAULTS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already; stop it or choose another port',
  EACCES: 'this user may not; choose a port above 1023, or a path in a folder it may write to',
  EADDRNOTAVAIL: 'this machine has no such address; choose one it has, or none for all',
  ENOTFOUND: 'the name does not resolve; check the host',
};

/** @param error what the system says */
export function listenError(
  options: ResolvedLineServerOptions,
  error: NodeJS.ErrnoException,
): LineError {
  const { path, host, port } = options;
  const place = path ?? `port ${port}${host === undefined ? '' : ` of ${host}`}`;
  const fault = LISTEN_FAULTS[error.code ?? ''] ?? error.message;
  return new LineError('ERR_LINE_LISTEN', `Cannot listen on ${place}: ${fault} (${error.code}).`, {
    cause: error,
  });
}

/**
 * Nest would let the later method replace the earlier one without a word.
 * @throws {LineError} `ERR_LINE_COMMAND` that names both, if they are two
 */
export function refuseSecond(
  pattern: MsPattern,
  earlier: Readonly<Record<string, unknown>> | undefined,
  later: Readonly<Record<string, unknown>> | undefined,
): void {
  const [one, other] = [earlier?.['declaredBy'], later?.['declaredBy']];
  if (!(one instanceof Declaration && other instanceof Declaration) || one === other) return;
  const what = pattern === UNKNOWN_COMMAND ? 'unknown commands' : JSON.stringify(pattern);
  throw new LineError(
    'ERR_LINE_COMMAND',
    `Two methods answer ${what}: ${String(one)} and ${String(other)}. Remove one, or give it another command.`,
  );
}
