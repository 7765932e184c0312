import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseProxyHeader } from './proxy-header.js';

const REST = Buffer.from('TIME\r\n');
const BINARY_BEGIN = Buffer.from('\r\n\r\n\0\r\nQUIT\n');

const CLIENT = {
  remoteAddress: '203.0.113.7',
  remotePort: 40_036,
  localAddress: '192.0.2.1',
  localPort: 45_000,
};
const CLIENT_V6 = { ...CLIENT, remoteAddress: '2001:db8::7', localAddress: '::1' };

/** What version 2 says of these two clients: addresses, then ports. */
const BLOCK = Buffer.from('cb007107c00002019c64afc8', 'hex');
const BLOCK_V6 = Buffer.from(
  '20010db8000000000000000000000007000000000000000000000000000000019c64afc8',
  'hex',
);

function textHeader({ remoteAddress, remotePort, localAddress, localPort }: typeof CLIENT): Buffer {
  const family = remoteAddress.includes(':') ? 'TCP6' : 'TCP4';
  return Buffer.from(
    `PROXY ${family} ${remoteAddress} ${localAddress} ${remotePort} ${localPort}\r\n`,
  );
}

interface BinaryParts {
  readonly command?: number;
  readonly family?: number;
  readonly body?: Buffer;
  readonly length?: number;
}

function binaryHeader({
  command = 0x21,
  family = 0x11,
  body = BLOCK,
  length,
}: BinaryParts = {}): Buffer {
  const told = length ?? body.length;
  const fixed = Buffer.of(command, family, told >> 8, told & 0xff);
  return Buffer.concat([BINARY_BEGIN, fixed, body]);
}

function parse(...parts: (string | Buffer)[]): ReturnType<typeof parseProxyHeader> {
  return parseProxyHeader(Buffer.concat(parts.map((part) => Buffer.from(part))));
}

const HEADERS: readonly (readonly [what: string, header: Buffer, ends: object | undefined])[] = [
  ['version 1 of IPv4', textHeader(CLIENT), CLIENT],
  ['version 1 of IPv6', textHeader(CLIENT_V6), CLIENT_V6],
  ['version 1 of nobody known', Buffer.from('PROXY UNKNOWN\r\n'), undefined],
  ['version 2 of IPv4', binaryHeader(), CLIENT],
  ['version 2 of IPv6', binaryHeader({ family: 0x21, body: BLOCK_V6 }), CLIENT_V6],
  [
    'version 2 with more in it',
    binaryHeader({ body: Buffer.concat([BLOCK, Buffer.from('\x02\0\x04time')]) }),
    CLIENT,
  ],
  [
    'version 2 of a health check',
    binaryHeader({ command: 0x20, family: 0, body: REST }),
    undefined,
  ],
];

describe.each(HEADERS)('A PROXY header: %s', (_, header, ends) => {
  it('is the same at every length of what follows, and incomplete with one byte less', () => {
    expect(parse(header)).toEqual({ length: header.length, ends });
    expect(parse(header, REST)).toEqual({ length: header.length, ends });
    expect(parse(header, Buffer.alloc(70_000, 0xff))).toEqual({ length: header.length, ends });
    for (let length = 0; length < header.length; length++) {
      expect(parse(header.subarray(0, length))).toBe('incomplete');
    }
  });
});

describe('A PROXY header of version 1', () => {
  it.each([
    ['PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n', '255.255.255.255'],
    [
      `PROXY TCP6 ${'ffff:'.repeat(8).slice(0, -1)} ::1 65535 0\r\n`,
      'ffff:'.repeat(8).slice(0, -1),
    ],
    ['PROXY TCP6 2001:DB8:0:0::7 ::1 1 1\r\n', '2001:db8::7'],
    ['PROXY TCP6 ::FFFF:CB00:7107 ::1 1 1\r\n', '::ffff:203.0.113.7'],
    ['PROXY TCP6 ::ffff:203.0.113.7 ::1 1 1\r\n', '::ffff:203.0.113.7'],
  ])('has addresses in any spelling, each with one name: %j', (text, remoteAddress) => {
    expect(parse(text)).toMatchObject({ length: text.length, ends: { remoteAddress } });
  });

  it.each([
    'PROXY UNKNOWN\r\n',
    'PROXY UNKNOWN \r\n',
    'PROXY UNKNOWN whatever it says\r\n',
    `PROXY UNKNOWN ${'f'.repeat(107 - 16)}\r\n`,
  ])('may be of nobody known: %j', (text) => {
    expect(parse(text, REST)).toEqual({ length: text.length, ends: undefined });
  });

  it.each([
    'PROXY\r\n',
    'PROXY \r\n',
    'PROXY TCP4\r\n',
    'PROXY TCP5 203.0.113.7 192.0.2.1 1 1\r\n',
    'proxy TCP4 203.0.113.7 192.0.2.1 1 1\r\n',
    'PROXY  TCP4 203.0.113.7 192.0.2.1 1 1\r\n',
    'PROXY TCP4 203.0.113.7  192.0.2.1 1 1\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 1 1 \r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 1\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 1 1 1\r\n',
    'PROXY TCP4 203.0.113.07 192.0.2.1 1 1\r\n',
    'PROXY TCP4 203.0.113.256 192.0.2.1 1 1\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 65536 1\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 01 1\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 -1 1\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 1e3 1\r\n',
    'PROXY TCP4 2001:db8::7 2001:db8::1 1 1\r\n',
    'PROXY TCP6 203.0.113.7 192.0.2.1 1 1\r\n',
    'PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n',
    'PROXY TCP6 2001::db8::7 ::1 1 1\r\n',
    'PROXY UNKNOWNS\r\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 1 1\n',
    'PROXY TCP4 203.0.113.7 192.0.2.1 1 1\r',
    'PROXY UNKNOWN \n TIME\r\n',
    'PROXY UNKNOWN \r TIME\r\n',
  ])('is none that is not to the letter so: %j', (text) => {
    expect(parse(text, REST)).toBe('malformed');
  });

  it('is not waited for beyond its bound of 107 bytes', () => {
    const begin = `PROXY UNKNOWN ${'f'.repeat(200)}`;
    expect(parse(begin.slice(0, 106))).toBe('incomplete');
    expect(parse(begin.slice(0, 107))).toBe('malformed');
    expect(parse(begin.slice(0, 106), '\r\n')).toBe('malformed');
  });

  it('is not waited for any more after a line end that is none', () => {
    expect(parse('PROXY TCP4 203.0.113.7\r')).toBe('incomplete');
    expect(parse('PROXY TCP4 203.0.113.7\rx')).toBe('malformed');
    expect(parse('PROXY TCP4 203.0.113.7\n')).toBe('malformed');
  });
});

describe('A PROXY header of version 2', () => {
  it.each([
    ['a health check with addresses', binaryHeader({ command: 0x20 })],
    ['a health check of an unknown family', binaryHeader({ command: 0x20, family: 0xff })],
    ['an unspecified family', binaryHeader({ family: 0x00, body: Buffer.alloc(0) })],
    ['an unspecified transport', binaryHeader({ family: 0x10, body: Buffer.alloc(0) })],
    ['a Unix domain socket', binaryHeader({ family: 0x31, body: Buffer.alloc(216) })],
  ])('may be of nobody who has an address: %s', (_, header) => {
    expect(parse(header, REST)).toEqual({ length: header.length, ends: undefined });
  });

  it('writes an address as the system does', () => {
    const mapped = Buffer.from(`${'0'.repeat(20)}ffffcb007107${'0'.repeat(40)}`, 'hex');
    expect(parse(binaryHeader({ family: 0x21, body: mapped }))).toMatchObject({
      ends: { remoteAddress: '::ffff:203.0.113.7', localAddress: '::' },
    });
  });

  it.each([
    ['another version', binaryHeader({ command: 0x11 })],
    ['an unknown command', binaryHeader({ command: 0x22 })],
    ['an unknown family', binaryHeader({ family: 0x41 })],
    ['an unknown transport', binaryHeader({ family: 0x13 })],
    ['an unknown transport of no family', binaryHeader({ family: 0x02 })],
    ['datagrams, which come over no connection', binaryHeader({ family: 0x12 })],
    ['too little for IPv4', binaryHeader({ body: BLOCK.subarray(1) })],
    ['too little for IPv6', binaryHeader({ family: 0x21, body: Buffer.alloc(35) })],
    [
      'too little for a Unix domain socket',
      binaryHeader({ family: 0x31, body: Buffer.alloc(215) }),
    ],
  ])('is none with %s', (_, header) => {
    expect(parse(header)).toBe('malformed');
  });

  it('is not waited for if it says that it is longer than 4 KiB, a health check neither', () => {
    const within = binaryHeader({ body: Buffer.alloc(4_096 - 16) });
    expect(parse(within.subarray(0, 16))).toBe('incomplete');
    expect(parse(within)).toMatchObject({ length: 4_096 });
    for (const command of [0x20, 0x21]) {
      for (const length of [4_096 - 15, 65_535]) {
        expect(parse(binaryHeader({ command, length, body: Buffer.alloc(0) }))).toBe('malformed');
      }
    }
  });
});

describe('Bytes that are no PROXY header', () => {
  it.each(['T', 'TIME\r\n', '\r\nTIME', 'P\r\n', 'PROXYTCP4', '\u0016\u0003\u0001', 'GET /'])(
    'are known by the first that does not belong to one: %j',
    (text) => {
      expect(parse(text)).toBe('malformed');
    },
  );

  it('never throw, and are one header or none, whatever they are', () => {
    const begins = fc.constantFrom(Buffer.alloc(0), Buffer.from('PROXY '), BINARY_BEGIN);
    const anyBytes = fc
      .tuple(begins, fc.uint8Array({ maxLength: 300 }))
      .map(([begin, bytes]) => Buffer.concat([begin, bytes]));
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const parsed = parseProxyHeader(bytes);
        return typeof parsed === 'string' || isLong(bytes, parsed.length);
      }),
      { numRuns: 20_000 },
    );
  });

  it('stay what they are, whatever follows, once they are a header or none', () => {
    const headers = fc.constantFrom(...HEADERS.map(([, header]) => header));
    fc.assert(
      fc.property(headers, fc.nat(), fc.nat(255), fc.uint8Array(), (header, at, byte, more) => {
        const bytes = Buffer.concat([header, more]);
        bytes[at % header.length] = byte;
        const verdicts = Array.from({ length: bytes.length + 1 }, (_, length) =>
          JSON.stringify(parseProxyHeader(bytes.subarray(0, length))),
        );
        const decided = verdicts.filter((verdict) => verdict !== '"incomplete"');
        const decidedAt = verdicts.length - decided.length;
        expect(new Set(decided).size).toBeLessThanOrEqual(1);
        expect(verdicts.slice(decidedAt)).toEqual(decided);
      }),
    );
  });

  it('are read back as they were written, for every client', () => {
    const address = fc.ipV4();
    const port = fc.nat(65_535);
    const clients = fc.record({
      remoteAddress: address,
      remotePort: port,
      localAddress: address,
      localPort: port,
    });
    fc.assert(
      fc.property(clients, (client) => {
        const addresses = [client.remoteAddress, client.localAddress].join('.').split('.');
        const ports = [client.remotePort, client.localPort].flatMap((each) => [each >> 8, each]);
        const body = Buffer.from([...addresses.map(Number), ...ports]);
        for (const header of [textHeader(client), binaryHeader({ body })]) {
          expect(parse(header, REST)).toEqual({ length: header.length, ends: client });
        }
      }),
    );
  });
});

/** Whether bytes begin with what is by its own words a header of this length. */
function isLong(bytes: Buffer, length: number): boolean {
  if (length > bytes.length) return false;
  if (bytes.subarray(0, 6).toString() === 'PROXY ') return bytes.indexOf('\r\n') === length - 2;
  return bytes.indexOf(BINARY_BEGIN) === 0 && bytes.readUInt16BE(14) === length - 16;
}
