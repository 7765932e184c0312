/** Telnet clients: what they negotiate is no part of a line. */
import { describe, expect, it } from 'vitest';
import { startLineApplication } from '../support/line-application.js';
import { EchoController } from './controllers.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');
const WONT_TIMING_MARK = '\xff\xfc\x06';

describe('A telnet client', () => {
  it('is answered although it negotiates before, between and inside its lines', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    client.send(
      bytes('\xff\xfb\x1f\xff\xfd\x03PI\xff\xfa\x1f\0\x50\0\x18\xff\xf0NG\r\n\xff\xf1PING\r\0\n'),
    );
    expect(await client.end().transcript()).toBe('PONG\r\nPONG\r\n');
  });

  it('hears WONT TIMING-MARK in its place, so it shows output again after ^C', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    client.send(bytes('SLOW\r\n\xff\xf4\xff\xfd\x06PING\r\n'));
    expect(await client.end().transcript()).toBe(`SLOW\r\n${WONT_TIMING_MARK}PONG\r\n`);
  });

  it('hears nothing else of its negotiation', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    expect(await client.end('\u00ff').transcript()).toContain('UNKNOWN');
    const other = await connect();
    other.send(bytes('\xff\xfd\x01\xff\xfb\x06\xff\xfe\x06\xff\xf6'));
    expect(await other.end().transcript()).toBe('');
  });

  it.each([
    ['IP before a line', '\xff\xf4PING\n', 'PONG\r\n'],
    ['EC (FF F7), which crashed inetutils', '\xff\xf7PING\n', 'PONG\r\n'],
    ['EL (FF F8), which crashed inetutils', '\xff\xf8PING\n', 'PONG\r\n'],
    ['SE without SB', '\xff\xf0PING\n', 'PONG\r\n'],
    ['a stray IAC before a line end', 'PING\xff\nPING\n', 'PONG\r\nPONG\r\n'],
    ['a doubled IAC', 'PI\xff\xffNG\n', 'PONG\r\n'],
    [
      'a Synch whose urgent byte left the stream',
      '\xff\xff\xfd\x06PING\n',
      `${WONT_TIMING_MARK}PONG\r\n`,
    ],
    ['an IAC at the end of input', 'PING\n\xff', 'PONG\r\n'],
    ['an option cut off at the end of input', 'PING\n\xff\xfd', 'PONG\r\n'],
    ['a subnegotiation that never ends', 'PING\n\xff\xfaPING\nPING\n', 'PONG\r\n'],
  ])('may send %s', async (_, sent, reply) => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    client.send(bytes(sent));
    expect(await client.end().transcript()).toBe(reply);
  });
});
