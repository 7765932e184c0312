/**
 * The PROXY header: what a proxy says before the first byte of a connection, so that it is known whose it really is
 * (https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt, 2.1 and 2.2). Knows nothing of sockets, nor of whom to believe.
 */
import { isIP, SocketAddress } from 'node:net';
import type { Ends } from './line-peer.js';

/** How each version begins. No other protocol begins with the second. */
const TEXT_BEGIN = Buffer.from('PROXY ');
const BINARY_BEGIN = Buffer.from('\r\n\r\n\0\r\nQUIT\n');

/** The longest header of version 1, its line end included: the specification's own bound. */
const MAX_TEXT_BYTES = 107;
/**
 * The longest header of version 2. A proxy's fits into the least segment there is, 536 bytes; with the names of certificates and what
 * clouds add it may be some hundred more. Its length field would allow 64 KiB.
 */
const MAX_BINARY_BYTES = 4_096;
/** Of version 2, before the addresses. */
const FIXED_BYTES = 16;

const TEXT =
  /^PROXY (?:UNKNOWN(?: .*)?|TCP(?<family>[46]) (?<from>\S+) (?<to>\S+) (?<fromPort>\S+) (?<toPort>\S+))$/;

/** Version and command of version 2. */
const LOCAL = 0x20;
const PROXY = 0x21;
/** Transports of version 2: not told, and TCP or what streams like it. A datagram comes over no connection. */
const UNSPECIFIED = 0;
const STREAM = 1;
/** The bytes of one address, for the families of version 2: not told, IPv4, IPv6, Unix. */
const ADDRESS_BYTES = [0, 4, 16, 108];
const PORT_BYTES = 2;

/** A header that is complete and right. */
export interface ProxyHeader {
  /** How many of the bytes are the header; what follows is the client's. */
  readonly length: number;
  /** Whose connection it is. `undefined` if it is the proxy's own, as for a health check, or if the proxy cannot say in these terms. */
  readonly ends: Ends | undefined;
}

/** @param bytes everything that has come on a connection so far */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  if (agrees(bytes, TEXT_BEGIN)) return parseText(bytes);
  if (agrees(bytes, BINARY_BEGIN)) return parseBinary(bytes);
  return 'malformed';
}

/** Whether the bytes begin so, as far as they go: whoever says something else is not waited for. */
function agrees(bytes: Buffer, begin: Buffer): boolean {
  return bytes.subarray(0, begin.length).equals(begin.subarray(0, bytes.length));
}

function parseText(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  const text = bytes.toString('latin1', 0, MAX_TEXT_BYTES);
  const end = text.indexOf('\r\n');
  if (end === -1) {
    const mayGoOn = text.length < MAX_TEXT_BYTES && /^[^\r\n]*\r?$/.test(text);
    return mayGoOn ? 'incomplete' : 'malformed';
  }
  const match = TEXT.exec(text.slice(0, end));
  if (match === null) return 'malformed';
  const length = end + 2;
  const { family, from = '', to = '', fromPort = '', toPort = '' } = match.groups ?? {};
  if (family === undefined) return { length, ends: undefined };
  const [remoteAddress, localAddress] = [addressIn(from, family), addressIn(to, family)];
  const [remotePort, localPort] = [portIn(fromPort), portIn(toPort)];
  const parts = [remoteAddress, localAddress, remotePort, localPort];
  if (parts.includes(undefined)) return 'malformed';
  return { length, ends: { remoteAddress, remotePort, localAddress, localPort } };
}

function addressIn(text: string, family: string): string | undefined {
  if (!/^[\da-f:.]+$/i.test(text)) return undefined; // a zone, `%eth0`, is a matter of one machine
  if (isIP(text) !== Number(family)) return undefined;
  return family === '6' ? canonical(text) : text;
}

function portIn(text: string): number | undefined {
  if (!/^(?:0|[1-9]\d{0,4})$/.test(text)) return undefined;
  const port = Number(text);
  return port > 65_535 ? undefined : port;
}

function parseBinary(bytes: Buffer): ProxyHeader | 'incomplete' | 'malformed' {
  if (bytes.length < FIXED_BYTES) return 'incomplete';
  const command = bytes.readUInt8(12);
  const length = FIXED_BYTES + bytes.readUInt16BE(14);
  if ((command !== LOCAL && command !== PROXY) || length > MAX_BINARY_BYTES) return 'malformed';
  const [family, transport] = [bytes.readUInt8(13) >> 4, bytes.readUInt8(13) & 0x0f];
  // What a LOCAL header says of addresses is to be passed over, whatever it is.
  if (command === PROXY && !isRoomFor(family, transport, length)) return 'malformed';
  if (bytes.length < length) return 'incomplete';
  const isTold = command === PROXY && transport === STREAM && (family === 1 || family === 2);
  return { length, ends: isTold ? endsIn(bytes, family) : undefined };
}

/** Whether there is such a family over such a transport, and its addresses fit into the header; what else is in it is not looked at. */
function isRoomFor(family: number, transport: number, length: number): boolean {
  const bytes = ADDRESS_BYTES[family];
  if (bytes === undefined) return false;
  if (transport === UNSPECIFIED || family === 0) return transport <= STREAM;
  const ports = family === 3 ? 0 : 2 * PORT_BYTES;
  return transport === STREAM && length >= FIXED_BYTES + 2 * bytes + ports;
}

function endsIn(bytes: Buffer, family: 1 | 2): Ends {
  const width = family === 1 ? 4 : 16;
  const to = FIXED_BYTES + width;
  const ports = to + width;
  return {
    remoteAddress: addressText(bytes.subarray(FIXED_BYTES, to)),
    localAddress: addressText(bytes.subarray(to, ports)),
    remotePort: bytes.readUInt16BE(ports),
    localPort: bytes.readUInt16BE(ports + PORT_BYTES),
  };
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  return canonical(bytes.toString('hex').replace(/.{4}(?!$)/g, '$&:'));
}

/** As the system writes an IPv6 address: one client has one name in the log, and one place in every list. */
function canonical(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
