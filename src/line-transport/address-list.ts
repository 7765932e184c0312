/**
 * AddressList: addresses and ranges of them, as people write them down: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. Knows nothing of
 * what they are listed for.
 */
import { BlockList, isIP } from 'node:net';

/** The widest prefix of each family, in bits. */
const BITS = { ipv4: 32, ipv6: 128 } as const;

interface Range {
  readonly address: string;
  readonly bits: number;
  readonly family: keyof typeof BITS;
}

/** Whether a text is an address, or a range of addresses in CIDR notation (RFC 4632, RFC 4291). */
export function isAddressRange(text: unknown): text is string {
  return typeof text === 'string' && rangeOf(text) !== undefined;
}

export class AddressList {
  readonly #ranges = new BlockList();

  /** @param entries texts that {@link isAddressRange}; others are left out */
  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      const range = rangeOf(entry);
      if (range !== undefined) this.#ranges.addSubnet(range.address, range.bits, range.family);
    }
  }

  /** Whether an address is in one of the ranges; an IPv4 address also where the socket says `::ffff:…`. */
  has(address: string): boolean {
    const version = isIP(address);
    return version !== 0 && this.#ranges.check(address, version === 4 ? 'ipv4' : 'ipv6');
  }
}

function rangeOf(text: string): Range | undefined {
  const [, address = '', prefix] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return undefined; // a zone is a matter of one machine
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const bits = Number(prefix ?? BITS[family]);
  return bits > BITS[family] ? undefined : { address, bits, family };
}
