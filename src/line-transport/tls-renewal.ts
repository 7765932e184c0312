/**
 * Whether a server that speaks TLS may do so with other options from now on. Knows nothing of who listens.
 */
import { createSecureContext, type TlsOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { hasKey, NO_KEY } from './line-option-faults.js';
import { tlsRefusal } from './line-server-errors.js';

/** What Node takes only when a server is made: to leave the old value without a word could leave a door open. */
const LASTING = [
  'requestCert',
  'rejectUnauthorized',
  'handshakeTimeout',
  'ALPNProtocols',
  'ALPNCallback',
  'SNICallback',
  'pskCallback',
  'pskIdentityHint',
] as const satisfies readonly (keyof TlsOptions)[];

/** What Node takes where nothing is said of one of these. */
const DEFAULTS: TlsOptions = { requestCert: false, rejectUnauthorized: true };

/** @returns why they are refused, for people; `undefined` if they are not */
export function tlsFault(before: TlsOptions | undefined, options: TlsOptions): string | undefined {
  if (before === undefined) {
    return 'The line server speaks no TLS: it has to be made with the option tls.';
  }
  if (!hasKey(options)) return `The line server's options are wrong: ${NO_KEY}.`;
  const changed = LASTING.filter((name) => {
    const byDefault = DEFAULTS[name];
    return !isDeepStrictEqual(options[name] ?? byDefault, before[name] ?? byDefault);
  });
  if (changed.length > 0) {
    const names = changed.map((name) => `tls.${name}`).join(', ');
    return `The line server cannot change ${names} while it runs: it has to be made anew.`;
  }
  try {
    createSecureContext(options); // Node keeps half of what it refuses
  } catch (error) {
    return tlsRefusal(error);
  }
  return undefined;
}
