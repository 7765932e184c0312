import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TelnetFilter, TIMING_MARK } from './telnet-filter.js';

/** What comes out, `|` for a timing mark. */
function filtered(...chunks: (number[] | string)[]): string {
  const filter = new TelnetFilter();
  let out = '';
  for (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : Buffer.from(chunk);
    for (const input of filter.isText(bytes) ? [bytes] : filter.filter(bytes)) {
      out += input === TIMING_MARK ? '|' : input.toString('latin1');
    }
  }
  return out;
}

const DO_TIMING_MARK = '\xff\xfd\x06';

describe('TelnetFilter', () => {
  it('passes text on as it came', () => {
    expect(filtered('TIME\r\nQUIT\n')).toBe('TIME\r\nQUIT\n');
  });

  it('strips commands, options and subnegotiations, before, between and inside words', () => {
    expect(filtered('\xff\xfb\x1fTI\xff\xf1ME\xff\xfa\x18\x00xterm\xff\xf0\r\n')).toBe('TIME\r\n');
  });

  it('strips what PuTTY and Debian telnet send first', () => {
    const putty =
      '\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x18\xff\xfb\x27\xff\xfd\x01\xff\xfb\x03\xff\xfd\x03';
    const telnet =
      '\xff\xfd\x26\xff\xfb\x26\xff\xfd\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfb\x20\xff\xfb\x21';
    expect(filtered(putty, telnet, 'TIME\n')).toBe('TIME\n');
  });

  it('strips the doubled IAC too: 255 is in no UTF-8 text', () => {
    expect(filtered('TI\xff\xffME')).toBe('TIME');
  });

  it('understands a command behind an IAC whose urgent byte was lost', () => {
    expect(filtered(`A\xff${DO_TIMING_MARK}B\xff`, DO_TIMING_MARK)).toBe('A|B|');
  });

  it('holds on to no more memory than the text it found', () => {
    const chunk = Buffer.alloc(65_536, Buffer.from('\xff\xf1', 'latin1'));
    chunk[65_535] = 0x41;
    const parts = new TelnetFilter().filter(chunk);
    expect(parts).toEqual([Buffer.from('A')]);
    expect((parts[0] as Buffer).buffer.byteLength).toBe(1); // and is no part of Node's pool either
  });

  it('marks the place of DO TIMING-MARK, and of no other request', () => {
    expect(filtered(`A${DO_TIMING_MARK}B\xff\xfb\x06C\xff\xfe\x06D\xff\xfd\x05E`)).toBe('A|BCDE');
  });

  it('marks every request, also several in a row and the last in a chunk', () => {
    expect(filtered(`${DO_TIMING_MARK}${DO_TIMING_MARK}A${DO_TIMING_MARK}`)).toBe('||A|');
  });

  it('keeps a byte below the telnet commands after a stray IAC, so no line end is lost', () => {
    expect(filtered('TIME\xff\nQUIT\xffX')).toBe('TIME\nQUITX');
  });

  it('takes a subnegotiation to last until IAC SE, whatever is inside', () => {
    expect(filtered('\xff\xfaa\nb\xff\xffc\xff\xf1d\xff', '\xf0TIME')).toBe('TIME');
  });

  it('drops a NUL after a CR and keeps any other', () => {
    expect(filtered('a\r\0b\0c\r', '\0\nd', '\0')).toBe('a\rb\0c\r\nd\0');
  });

  it('drops a NUL after a CR also when a telnet command stands between them', () => {
    expect(filtered('a\r\xff\xf1\0b')).toBe('a\rb');
  });

  it('gives the same wherever the input is split', () => {
    const bytes = fc.array(
      fc.constantFrom(0x00, 0x06, 0x0a, 0x0d, 0x41, 0xf0, 0xf1, 0xfa, 0xfd, 0xff),
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(20)), (input, cuts) => {
        const chunks: number[][] = [];
        let rest = input;
        for (const cut of cuts) {
          chunks.push(rest.slice(0, cut));
          rest = rest.slice(cut);
        }
        expect(filtered(...chunks, rest)).toBe(filtered(input));
      }),
      { numRuns: 2_000 },
    );
  });

  it('passes nothing on of an endless subnegotiation', () => {
    const filter = new TelnetFilter();
    expect(filter.filter(Buffer.from('\xff\xfa', 'latin1'))).toEqual([]);
    for (let i = 0; i < 100; i++) {
      expect(filter.filter(Buffer.alloc(65_536, 0x41))).toEqual([]);
    }
  });
});
