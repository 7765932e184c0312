import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { LINE, LineDecoder, OVERLONG } from './line-decoder.js';
import { TIMING_MARK } from './telnet-filter.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const MAX = 16;

/** The line that came last. */
function textOf({ bytes, start, end }: LineDecoder): string {
  return bytes.toString('latin1', start, end);
}

function take(decoder: LineDecoder): string[] {
  const items: string[] = [];
  for (let item = decoder.next(); item !== undefined; item = decoder.next()) {
    if (item === OVERLONG) items.push('<too long>');
    else if (item === TIMING_MARK) items.push('<mark>');
    else items.push(textOf(decoder));
  }
  return items;
}

/** All that comes out when the chunks are pushed one after the other, asked for after each, and then ended. */
function decode(...chunks: (string | Buffer)[]): string[] {
  const decoder = new LineDecoder(MAX);
  const items: string[] = [];
  for (const chunk of chunks) {
    decoder.push(Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk, 'latin1'));
    items.push(...take(decoder));
  }
  decoder.finish();
  return [...items, ...take(decoder)];
}

/** What comes out after an unfinished TIME was served before its end. */
function served(...after: string[]): string[] {
  const decoder = new LineDecoder(MAX);
  decoder.push(Buffer.from('TIME'));
  expect(take(decoder)).toEqual([]);
  decoder.finishLine();
  expect(take(decoder)).toEqual(['TIME']);
  const items: string[] = [];
  for (const chunk of after) {
    decoder.push(Buffer.from(chunk));
    items.push(...take(decoder));
  }
  decoder.finish();
  return [...items, ...take(decoder)];
}

function memoryUsed(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

describe('LineDecoder', () => {
  it('ends lines at LF and leaves the CR to whoever reads the text', () => {
    expect(decode('TIME\nQUIT\r\n\n')).toEqual(['TIME', 'QUIT\r', '']);
  });

  it('does not end a line at a lone CR', () => {
    expect(decode('TI\rME\n')).toEqual(['TI\rME']);
  });

  it('gives a line only when its end has come', () => {
    const decoder = new LineDecoder(MAX);
    decoder.push(Buffer.from('TIM'));
    expect(decoder.next()).toBeUndefined();
    decoder.push(Buffer.from('E\nQ'));
    expect(take(decoder)).toEqual(['TIME']);
    expect(decoder.unfinished?.toString()).toBe('Q');
  });

  it('keeps an unfinished line in memory of its own, whatever it came in', () => {
    const decoder = new LineDecoder(MAX);
    decoder.push(Buffer.alloc(65_536, 'A\nB'));
    take(decoder);
    expect(decoder.unfinished?.buffer.byteLength).toBeLessThanOrEqual(MAX + 1);
  });

  it('counts the last line although its end never comes', () => {
    expect(decode('TIME\nQUIT')).toEqual(['TIME', 'QUIT']);
  });

  it('makes no line of nothing', () => {
    expect(decode('')).toEqual([]);
    expect(decode('TIME\n')).toEqual(['TIME']);
    expect(decode('\xff\xfb\x01')).toEqual([]);
  });

  it('decodes no more than it is asked for', () => {
    const decoder = new LineDecoder(MAX);
    decoder.push(Buffer.from('A\nB\nC\n'));
    expect(decoder.next()).toBe(LINE);
    expect(textOf(decoder)).toBe('A');
    expect(decoder.pendingBytes).toBe(4);
    take(decoder);
    expect(decoder.pendingBytes).toBe(0);
  });

  it('gives a timing mark in its place between the lines', () => {
    expect(decode('A\n\xff\xfd\x06B\n')).toEqual(['A', '<mark>', 'B']);
  });

  it('counts waiting timing marks as pending, so that a flood of them is bounded', () => {
    const decoder = new LineDecoder(MAX);
    decoder.push(Buffer.from('\xff\xfd\x06'.repeat(100), 'latin1'));
    expect(decoder.pendingBytes).toBeGreaterThanOrEqual(300);
    take(decoder);
    expect(decoder.pendingBytes).toBe(0);
  });

  it.each([
    ['single bytes', ['A', '\n']],
    ['single bytes and marks', ['A\xff\xfd\x06']],
    ['marks alone', ['\xff\xfd\x06']],
    ['short lines', ['TIME\n']],
  ])('keeps no more memory than it counts as pending, or little more: %s', async (_, kinds) => {
    const chunks = kinds.map((text) => Buffer.from(text, 'latin1'));
    const decoder = new LineDecoder(MAX);
    const before = memoryUsed();
    for (let round = 0; round < 60_000; round++) {
      // As they come from a socket: each in memory of its own.
      for (const chunk of chunks) decoder.push(Buffer.from(new Uint8Array(chunk).buffer));
    }
    const most = before + decoder.pendingBytes * 2 + 200_000;
    await vi.waitUntil(() => memoryUsed() < most, { timeout: 10_000, interval: 50 });
    expect(take(decoder).length).toBeGreaterThanOrEqual(60_000);
  });

  describe('at the limit', () => {
    const longest = 'x'.repeat(MAX);

    it.each(['\n', '\r\n', ''])('allows a line as long as the limit before %j', (end) => {
      expect(decode(longest + end, 'A\n').at(0)).toMatch(end === '' ? /<too long>/ : /^x{16}\r?$/);
      expect(decode(longest + end)).toEqual([longest + end.replace('\n', '')]);
    });

    it.each(['\n', '\r\n', ''])('gives one item for a longer one before %j', (end) => {
      expect(decode(`${longest}x${end}`)).toEqual(['<too long>']);
    });

    it('says so before the line has ended, after the good lines before it', () => {
      const decoder = new LineDecoder(MAX);
      decoder.push(Buffer.from(`A\nB\n${longest}x`));
      expect(take(decoder)).toEqual(['A', 'B', '<too long>']);
    });

    it('goes on after the line end that follows', () => {
      expect(decode(longest, longest, `${longest}\nTIME\n`)).toEqual(['<too long>', 'TIME']);
    });

    it('does not count a CR until the next byte says it is no line end', () => {
      const decoder = new LineDecoder(MAX);
      decoder.push(Buffer.from(`${longest}\r`));
      expect(decoder.next()).toBeUndefined();
      decoder.push(Buffer.from('\r'));
      expect(decoder.next()).toBe(OVERLONG);
    });

    it('does not count telnet bytes', () => {
      expect(decode('\xff\xfb\x01'.repeat(100) + longest, '\n')).toEqual([longest]);
    });

    it('keeps no more of an endless line than the limit', () => {
      const decoder = new LineDecoder(MAX);
      let items = 0;
      for (let i = 0; i < 1_000; i++) {
        decoder.push(Buffer.alloc(65_536, 0x41));
        items += take(decoder).length;
        expect(decoder.pendingBytes).toBe(0);
        expect(decoder.unfinished).toBeUndefined();
      }
      expect(items).toBe(1);
    });
  });

  describe('with a line served before its end', () => {
    it.each(['\n', '\r\n', ' \t\r\n'])('swallows the line end %j that follows', (end) => {
      expect(served(end)).toEqual([]);
      expect(served(...end)).toEqual([]);
    });

    it('swallows one line end, not two', () => {
      expect(served('\r\n\r\n')).toEqual(['\r']);
    });

    it('takes anything else as a new line', () => {
      expect(served('R\n')).toEqual(['R']);
      expect(served('TIME')).toEqual(['TIME']);
      expect(served('TIME\n\n')).toEqual(['TIME', '']);
    });

    it('gives nothing twice at the end of input', () => {
      expect(served()).toEqual([]);
      expect(served('\r')).toEqual([]);
    });

    it('refuses an overlong line that follows', () => {
      expect(served('x'.repeat(MAX + 1), '\n\n')).toEqual(['<too long>', '']);
    });
  });

  describe('however the bytes are cut', () => {
    const script =
      'TIME\r\nQUIT\n\n  time \r\nxxxxxxxxxxxxxxxxxxxx\nTI\xff\xfd\x06ME\r\0\n\xff\xfaab\nc\xff\xf0Z\r';

    it('gives the same for every two cuts', () => {
      const whole = decode(script);
      expect(whole).toContain('<too long>');
      for (let first = 0; first <= script.length; first++) {
        for (let second = first; second <= script.length; second++) {
          const parts = [script.slice(0, first), script.slice(first, second), script.slice(second)];
          expect(decode(...parts)).toEqual(whole);
        }
      }
    });

    it('gives the same byte by byte', () => {
      expect(decode(...script)).toEqual(decode(script));
    });

    it('gives the same for any bytes, and what a simple model gives', () => {
      const alphabet = fc.constantFrom(
        0x00,
        0x06,
        0x0a,
        0x0a,
        0x0d,
        0x20,
        0x41,
        0xc3,
        0xa9,
        0xf0,
        0xfa,
        0xfd,
        0xff,
      );
      fc.assert(
        fc.property(fc.array(fc.array(alphabet, { maxLength: 40 })), (chunks) => {
          const whole = decode(Buffer.from(chunks.flat()));
          expect(decode(...chunks.map((chunk) => Buffer.from(chunk)))).toEqual(whole);
          const plain = chunks.flat().filter((byte) => byte !== 0xff && byte !== 0);
          expect(decode(Buffer.from(plain))).toEqual(model(Buffer.from(plain).toString('latin1')));
        }),
        { numRuns: 5_000 },
      );
    });
  });
});

/** Lines without telnet, as one would write them down. */
function model(text: string): string[] {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  if (last !== '') lines.push(last);
  return lines.map((line) => (line.replace(/\r$/, '').length > MAX ? '<too long>' : line));
}
