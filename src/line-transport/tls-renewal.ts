/**
 * Whether a server that speaks TLS may do so with other options from now on. Knows nothing of who listens.
 */
import { createSecureContext, type TlsOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { hasKey, NO_KEY } from './line-options.js';

/** What Node takes only when a server is made: to leave the old value without a word could leave a door open. */
const LASTING = [
  'requestCert',
  'rejectUnauthorized',
  'handshakeTimeout',
  'ALPNProtocols',
  'ALPNCallback',
  'SNICallback',
  'pskCallback',
] as const satisfies readonly (keyof TlsOptions)[];

/** @returns why they are refused, for people; `undefined` if they are not */
export function tlsFault(before: TlsOptions | undefined, options: TlsOptions): string | undefined {
  if (before === undefined) {
    return 'The line server speaks no TLS: it has to be made with the option tls.';
  }
  if (!hasKey(options)) return `The line server's options are wrong: ${NO_KEY}.`;
  const changed = LASTING.filter((name) => !isDeepStrictEqual(options[name], before[name]));
  if (changed.length > 0) {
    const names = changed.map((name) => `tls.${name}`).join(', ');
    return `The line server cannot change ${names} while it runs: it has to be made anew.`;
  }
  try {
    createSecureContext(options); // Node keeps half of what it refuses
  } catch (error) {
    return `The tls options are refused: ${error instanceof Error ? error.message : String(error)}.`;
  }
  return undefined;
}
