/** What bytes spell is what their text says, or they are left to who reads them as text. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lineText, strip } from './line-text.js';
import { Spelling } from './spelling.js';

function spellingOf(words: readonly string[]): Spelling<string> {
  const spelling = new Spelling<string>();
  for (const word of words) spelling.set(word, word);
  return spelling;
}

/** What a line spells, found in the middle of other bytes. */
function find(spelling: Spelling<string>, line: Buffer, around = Buffer.from('TIME')): unknown {
  const bytes = Buffer.concat([around, line, around]);
  return spelling.find(bytes, around.length, around.length + line.length);
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({ unit: fc.constantFrom('A', 'B', 'é', '時', '\u00a0', ' ', '\t', '\x1c', '\0') }),
);
const word = text.map(strip).filter((name) => name !== '');
const blanks = fc.string({ unit: fc.constantFrom(' ', '\t', '\r', '\x1f', '\u0085', '\u2003') });

describe('Spelling', () => {
  it('finds a word by its bytes, in ASCII blanks or in none', () => {
    const spelling = spellingOf(['TIME', 'QUIT']);
    for (const line of ['TIME', 'TIME\r', ' \t\v\f\r\x1c\x1fTIME\x1d\x1e ']) {
      expect(find(spelling, Buffer.from(line))).toBe('TIME');
    }
  });

  it('finds nothing in what is a word but for its case, its end or its begin', () => {
    const spelling = spellingOf(['TIME']);
    for (const line of ['time', 'TIM', 'TIMES', 'TI ME', '\0TIME', 'XTIME']) {
      expect(find(spelling, Buffer.from(line))).toBeUndefined();
    }
  });

  it('finds nothing in a blank line, and nothing in none', () => {
    const spelling = spellingOf(['TIME']);
    for (const line of ['', ' ', '\r', ' \t\r']) {
      expect(find(spelling, Buffer.from(line))).toBeUndefined();
    }
  });

  it('tells words apart that begin and end alike and are as long', () => {
    const words = ['GET', 'GOT', 'GUT', 'GIT'];
    const spelling = spellingOf(words);
    for (const each of words) expect(find(spelling, Buffer.from(each))).toBe(each);
    expect(find(spelling, Buffer.from('GAT'))).toBeUndefined();
  });

  it('finds nothing in a line that only begins with a word, however much longer it is', () => {
    const spelling = spellingOf(['TIME']);
    for (let more = 1; more < 300; more++) {
      expect(find(spelling, Buffer.from(`TIME${'S'.repeat(more)}`))).toBeUndefined();
    }
  });

  it('tells many words apart, whatever they are', () => {
    fc.assert(
      fc.property(fc.uniqueArray(word, { maxLength: 200 }), (words) => {
        const spelling = spellingOf(words);
        for (const each of words) expect(find(spelling, Buffer.from(each))).toBe(each);
      }),
      { numRuns: 30 },
    );
  });

  it('finds for a word that is set again what it was set to last', () => {
    const spelling = spellingOf(['TIME', 'TILE']);
    spelling.set('TIME', 'later');
    expect(find(spelling, Buffer.from('TIME'))).toBe('later');
    expect(find(spelling, Buffer.from('TILE'))).toBe('TILE');
  });

  it('finds no more in any bytes than their text says', () => {
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
      fc.tuple(blanks, text, blanks).map((parts) => Buffer.from(parts.join(''))),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 8 }), fc.array(line), (words, lines) => {
        const spelling = spellingOf(words);
        const spelt = [...lines, ...words.map((each) => Buffer.from(` ${each}\r`))];
        for (const bytes of spelt) {
          expect([undefined, lineText(bytes)]).toContain(find(spelling, bytes));
        }
      }),
    );
  });

  it('finds every word that a text says whose blanks are ASCII', () => {
    const ascii = fc.string({ unit: fc.constantFrom(' ', '\t', '\v', '\f', '\r', '\x1c', '\x1f') });
    fc.assert(
      fc.property(fc.array(word, { minLength: 1 }), ascii, ascii, (words, before, behind) => {
        const spelling = spellingOf(words);
        for (const each of words) {
          expect(find(spelling, Buffer.from(before + each + behind))).toBe(each);
        }
      }),
    );
  });

  it('looks at no byte outside of the range', () => {
    const spelling = spellingOf(['TIME']);
    const bytes = Buffer.from('TIME TIME');
    expect(spelling.find(bytes, 0, 4)).toBe('TIME');
    expect(spelling.find(bytes, 5, 9)).toBe('TIME');
    expect(spelling.find(bytes, 0, 3)).toBeUndefined();
    expect(spelling.find(bytes, 1, 5)).toBeUndefined();
    expect(spelling.find(bytes, 6, 9)).toBeUndefined();
    expect(spelling.find(bytes, 4, 5)).toBeUndefined();
  });

  it('finds nothing for a word that no bytes can spell', () => {
    const spelling = spellingOf(['\ud800', 'T\udfffME']);
    for (const line of ['\ufffd', 'T\ufffdME']) {
      expect(find(spelling, Buffer.from(line))).toBeUndefined();
    }
  });
});
