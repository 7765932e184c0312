/**
 * What is wrong with the options of a server that have no bounds in LINE_OPTION_BOUNDS. Knows nothing of defaults.
 */
import { isAddressRange } from './address-list.js';
import type { LineServerOptions, ResolvedLineServerOptions } from './line-options.js';
import type { OptionFaults } from './option-faults.js';
import { wordFaults } from './sure-words.js';

/** What is wrong with the options of a TLS server that cannot {@link hasKey}. */
export const NO_KEY = 'tls must have a key and a cert, or a pfx, as tls.createServer takes them';

/** What a system calls a descriptor. */
const DESCRIPTORS = { min: 0, max: 2_147_483_647 };

/** Notes what is wrong with them. */
export function noteFaults(
  options: LineServerOptions,
  resolved: Pick<ResolvedLineServerOptions, 'words' | 'ignoreCase' | 'dispatch' | 'greeting'>,
  faults: OptionFaults,
): void {
  faults.text('host', options.host, 'a name or an address');
  faults.text('path', options.path, 'a path');
  if (options.fd !== undefined) faults.wholeNumber('fd', options.fd, DESCRIPTORS);
  for (const fault of addressFaults(options)) faults.add(fault);
  for (const fault of wordFaults(resolved.words)) faults.add(fault);
  if (!['undefined', 'function'].includes(typeof options.acceptor)) {
    faults.add('acceptor must be a function');
  }
  if (typeof resolved.ignoreCase !== 'boolean') faults.add('ignoreCase must be true or false');
  if (!['auto', 'pipeline'].includes(resolved.dispatch)) {
    faults.add("dispatch must be 'auto' or 'pipeline'");
  }
  if (!isText(resolved.greeting)) faults.add('greeting must be a string or an array of strings');
  if (options.tls !== undefined && !hasKey(options.tls)) faults.add(NO_KEY);
  faults.twoPlaces(options);
}

function isText(greeting: unknown): boolean {
  const lines: unknown[] = Array.isArray(greeting) ? greeting : [greeting ?? ''];
  return lines.every((line) => typeof line === 'string');
}

/** An empty list would keep everybody out, but for that of those who may not come. */
function addressFaults(options: LineServerOptions): string[] {
  return (['allowAddresses', 'denyAddresses', 'proxyProtocolTrust'] as const).flatMap((name) => {
    const list: unknown = options[name];
    if (list === undefined) return [];
    if (!Array.isArray(list)) return [`${name} must be an array of addresses and CIDR ranges`];
    if (list.length === 0 && name !== 'denyAddresses') return [`${name} must not be empty`];
    return list
      .filter((entry) => !isAddressRange(entry))
      .map(
        (entry) => `${name} has ${JSON.stringify(entry)}, which is no address and no CIDR range`,
      );
  });
}

/** Otherwise a TLS server listens, and agrees with no client. A `secureContext` is for clients: a server pays it no heed. */
export function hasKey(tls: unknown): boolean {
  if (typeof tls !== 'object' || tls === null) return false;
  const has = (name: string): boolean => Reflect.get(tls, name) !== undefined;
  return (has('key') && has('cert')) || ['pfx', 'SNICallback', 'pskCallback'].some(has);
}
