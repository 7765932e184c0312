/**
 * Who is at the other end of a connection, as its socket tells it, or the proxy that it came through.
 */
import type { Socket } from 'node:net';
import { type PeerCertificate, TLSSocket } from 'node:tls';

const IPV6_GROUPS = 8;

/** A client as its socket names it, or the PROXY header that it came with. A field is `undefined` where there is no such thing, as on a Unix domain socket. */
export interface Peer {
  /** Address in text, IPv4 also where the socket says `::ffff:…`. `undefined` too for a client that cut its connection early. */
  readonly remoteAddress?: string | undefined;
  /** The client's port. */
  readonly remotePort?: number | undefined;
  /** The server's own address that the client came to. */
  readonly localAddress?: string | undefined;
  /** The server's port that the client came to. */
  readonly localPort?: number | undefined;
  /** `undefined` for a connection without TLS. */
  readonly tls?: TlsFacts | undefined;
}

/** What is known of a TLS connection. */
export interface TlsFacts {
  /** `TLSv1.3`, `TLSv1.2`. */
  readonly protocol: string;
  /** The cipher suite's IANA name. */
  readonly cipher: string;
  /** The name that the client asked for (SNI); `undefined` if it asked for none. */
  readonly servername: string | undefined;
  /** Whether the client has a certificate that one of the server's `ca` signed. */
  readonly authorized: boolean;
  /** The client's certificate, trusted or not; `undefined` if it has sent none, or was not asked for one (`requestCert`). */
  readonly certificate: PeerCertificate | undefined;
}

/** Both ends of a connection, as its socket tells them, or the proxy through which it came. */
export type Ends = Omit<Peer, 'tls'>;

/** A socket's peer: who it is is remembered, since a socket forgets it when it closes. */
export class SocketPeer implements Peer {
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
  readonly tls: TlsFacts | undefined;

  readonly #ends: Ends;

  /** @param ends the client's, where the socket is that of a proxy */
  constructor(socket: Socket, ends: Ends = socket) {
    this.#ends = ends;
    const { remoteAddress, remotePort } = ends;
    this.remoteAddress = plainAddress(remoteAddress);
    this.remotePort = remotePort;
    this.tls = socket instanceof TLSSocket ? tlsFacts(socket) : undefined;
  }

  get localAddress(): string | undefined {
    return plainAddress(this.#ends.localAddress);
  }

  get localPort(): number | undefined {
    return this.#ends.localPort;
  }
}

/**
 * Whose an address is: an IPv4 address is one client's, as far as can be known; the first half of an IPv6 address is one site's, which
 * has the other half to itself (RFC 4291, 2.5.4; RFC 6177).
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const after = tail === '' ? [] : tail.split(':');
    while (groups.length + after.length < IPV6_GROUPS) groups.push('0');
    groups.push(...after);
  }
  return `${groups.slice(0, IPV6_GROUPS / 2).join(':')}::/64`;
}

function plainAddress(address: string | undefined): string | undefined {
  return address?.replace(/^::ffff:(?=\d+\.)/, '');
}

function tlsFacts(socket: TLSSocket): TlsFacts | undefined {
  // Node may crash where it is asked for a session that never came about; `alpnProtocol` is null until it has.
  if (socket.alpnProtocol === null || socket.destroyed) return undefined;
  const certificate = socket.getPeerCertificate();
  return {
    protocol: socket.getProtocol() ?? '',
    cipher: socket.getCipher().standardName,
    servername: socket.servername || undefined,
    authorized: socket.authorized,
    certificate: Object.keys(certificate).length === 0 ? undefined : certificate,
  };
}
