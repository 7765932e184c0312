/**
 * PROXY headers as proxies write them (https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt), for tests that play one.
 */

/** The client that the proxy speaks for, and the address that it came to there. */
export const CLIENT = '203.0.113.7';
export const CLIENT_PORT = 40_036;
export const CAME_TO = '192.0.2.1';
export const CAME_TO_PORT = 45_000;

/** Version 1. */
export function textHeader(client: string = CLIENT): string {
  const [family, to] = client.includes(':') ? ['TCP6', '2001:db8:1::1'] : ['TCP4', CAME_TO];
  return `PROXY ${family} ${client} ${to} ${CLIENT_PORT} ${CAME_TO_PORT}\r\n`;
}

/** Version 2, of {@link CLIENT}. */
export const BINARY_HEADER = binaryHeader(
  0x21,
  0x11,
  Buffer.from('cb007107c00002019c64afc8', 'hex'),
);

/** Version 2 of a health check. */
export const LOCAL_HEADER = binaryHeader(0x20, 0x00, Buffer.alloc(0));

/** Version 2, with whatever in it. */
export function binaryHeader(
  command: number,
  family: number,
  body: Buffer,
  length = body.length,
): Buffer {
  const fixed = Buffer.of(command, family, length >> 8, length & 0xff);
  return Buffer.concat([Buffer.from('\r\n\r\n\0\r\nQUIT\n'), fixed, body]);
}
