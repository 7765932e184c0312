import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineText, strip } from './line-text.js';

/** All code points for which Python's `str.isspace` is true. */
const PYTHON_BLANKS =
  '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a' +
  '\u2028\u2029\u202f\u205f\u3000';

describe('strip', () => {
  it('takes off what str.strip takes off, at both ends', () => {
    expect(strip(`${PYTHON_BLANKS}TI ME${PYTHON_BLANKS}`)).toBe('TI ME');
  });

  it('leaves every other character', () => {
    const others = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter(
      (character) => !PYTHON_BLANKS.includes(character),
    );
    expect(others.filter((character) => strip(character) !== character)).toEqual([]);
  });

  it('makes nothing of blanks alone', () => {
    expect(strip(PYTHON_BLANKS)).toBe('');
    expect(strip('')).toBe('');
  });

  it('needs linear time for blanks in the middle', () => {
    const text = `a${' '.repeat(1_000_000)}b`;
    expect(strip(text)).toBe(text);
  });
});

describe('lineText', () => {
  it('reads UTF-8', () => {
    expect(lineText(Buffer.from(' wäktu 時間\r'))).toBe('wäktu 時間');
  });

  it('keeps a byte order mark, so the command is unknown', () => {
    expect(lineText(Buffer.from('\uFEFFTIME'))).not.toBe('TIME');
  });

  it('never makes a valid command of bytes that are no UTF-8', () => {
    const notUtf8 = fc.uint8Array({ maxLength: 8 }).filter((bytes) => {
      const buffer = Buffer.from(bytes);
      return !Buffer.from(buffer.toString('utf8')).equals(buffer);
    });
    fc.assert(
      fc.property(notUtf8, (bytes) => {
        expect(lineText(Buffer.from(bytes))).toContain('\uFFFD');
      }),
    );
  });
});
