/** How words are separated and quoted, whatever is in them. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteWord, splitWords } from './quoting.js';

/** Every blank, as line-text.spec.ts has them. */
const BLANKS = [
  ...'\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a',
  ...'\u2028\u2029\u202f\u205f\u3000',
];

/** Long enough that anything quadratic in it takes minutes, and the runner's limit tells. */
const MEBIBYTE = 1_048_576;

const blanks = fc.string({ unit: fc.constantFrom(...BLANKS), minLength: 1, maxLength: 4 });
const blanksOrNone = fc.oneof(fc.constant(''), blanks);
/** Words of any characters, half of them of those that mean something. */
const word = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom('"', '\\', 'a', 'u', '0', '/', '\0', ...BLANKS) }),
);

describe('splitWords', () => {
  it.each([
    ['', []],
    [' \t ', []],
    ['one', ['one']],
    ['  one two\tthree  ', ['one', 'two', 'three']],
    ['"one two" three', ['one two', 'three']],
    ['""', ['']],
    ['"" "" x', ['', '', 'x']],
    ['" "', [' ']],
  ])('takes %j for the words %j', (text, words) => {
    expect(splitWords(text)).toEqual(words);
  });

  it('separates at every blank of Unicode, and at nothing else', () => {
    for (const blank of BLANKS) expect(splitWords(`a${blank}b`)).toEqual(['a', 'b']);
    for (const other of ['\0', '\x07', '\u180e', '\u200b', '\ufeff', ',', ';', '=']) {
      expect(splitWords(`a${other}b`)).toEqual([`a${other}b`]);
    }
  });

  it('does not separate inside quotes, at whatever blank', () => {
    for (const blank of BLANKS) expect(splitWords(`"a${blank}b"`)).toEqual([`a${blank}b`]);
  });

  it('reads the escapes of JSON inside quotes', () => {
    expect(splitWords(String.raw`"\"\\\/\b\f\n\r\t\u0000\u0041\u20Ac"`)).toEqual([
      '"\\/\b\f\n\r\t\0A€',
    ]);
    expect(splitWords(String.raw`"\\n" "\\\\"`)).toEqual(['\\n', '\\\\']);
    expect(splitWords(String.raw`"\uD83D\uDE00"`)).toEqual(['😀']);
  });

  it('reads every JSON string as JSON does', () => {
    fc.assert(
      fc.property(word, (text) => {
        expect(splitWords(JSON.stringify(text))).toEqual([text]);
      }),
    );
  });

  it('takes a quote or a backslash inside a word for itself', () => {
    expect(splitWords(String.raw`5" it's a"b"c x"" \ \n C:\dir \"a`)).toEqual(
      String.raw`5" it's a"b"c x"" \ \n C:\dir \"a`.split(' '),
    );
  });

  it.each([
    ['a quote that is not closed', '"'],
    ['a quote that is not closed behind words', 'one "two three'],
    ['a quote that is closed by an escaped quote only', String.raw`"one\"`],
    ['a lone backslash', String.raw`"\ "`],
    ['a backslash at the end', '"one\\'],
    ['an unknown escape', String.raw`"\x41"`],
    ['an escape that is known in capitals only', String.raw`"\N"`],
    ['an escaped apostrophe', String.raw`"\'"`],
    ['an escaped line end', '"\\\n"'],
    ['too few digits', String.raw`"\u004"`],
    ['digits that are none', String.raw`"\u00g1"`],
    ['digits in braces', String.raw`"\u{41}"`],
    ['text behind a quoted word', '"one"two'],
    ['a quoted word behind a quoted word', '"one""two"'],
    ['a quote behind a quoted word', 'one "two""'],
  ])('refuses %s: %s', (_, text) => {
    expect(splitWords(text)).toBeUndefined();
  });

  it('never throws, and never gives a word that was not sent', () => {
    fc.assert(
      fc.property(word, (text) => {
        const words = splitWords(text) ?? [];
        expect(words.length).toBeLessThanOrEqual(text.length);
        expect(words.join('').length).toBeLessThanOrEqual(text.length);
      }),
    );
  });

  it.each([
    ['blanks', ' '.repeat(MEBIBYTE), []],
    ['a word', 'x'.repeat(MEBIBYTE), ['x'.repeat(MEBIBYTE)]],
    ['quotes in a word', `x${'"'.repeat(MEBIBYTE)}`, [`x${'"'.repeat(MEBIBYTE)}`]],
    ['quotes', '"'.repeat(MEBIBYTE), undefined],
    ['empty words', '"" '.repeat(MEBIBYTE / 4), Array.from({ length: MEBIBYTE / 4 }, () => '')],
    ['words', 'x '.repeat(MEBIBYTE / 4), Array.from({ length: MEBIBYTE / 4 }, () => 'x')],
    ['an unclosed quote', `"${'x'.repeat(MEBIBYTE)}`, undefined],
    ['blanks in an unclosed quote', `"${' '.repeat(MEBIBYTE)}`, undefined],
    ['backslashes in an unclosed quote', `"${'\\'.repeat(MEBIBYTE)}`, undefined],
    ['backslashes in quotes', `"${'\\'.repeat(MEBIBYTE)}"`, ['\\'.repeat(MEBIBYTE / 2)]],
    ['escaped quotes, unclosed', `"${'\\"'.repeat(MEBIBYTE / 2)}`, undefined],
    ['escapes', `"${'\\u0041'.repeat(MEBIBYTE / 8)}"`, ['A'.repeat(MEBIBYTE / 8)]],
    ['an escape that is never complete', `"${'\\u'.repeat(MEBIBYTE / 2)}"`, undefined],
    ['words before an unclosed quote', `${'"x" '.repeat(MEBIBYTE / 4)}"`, undefined],
  ])('comes to an end with a mebibyte of %s', (_, text, words) => {
    expect(splitWords(text)).toEqual(words);
  });
});

describe('quoteWord', () => {
  it.each([
    ['one', 'one'],
    ['Größe', 'Größe'],
    ['a"b', 'a"b'],
    [String.raw`C:\dir`, String.raw`C:\dir`],
  ])('leaves %s as it is', (plain, written) => {
    expect(quoteWord(plain)).toBe(written);
  });

  it.each([
    ['', '""'],
    ['one two', '"one two"'],
    [' ', '" "'],
    ['"', String.raw`"\""`],
    ['"a', String.raw`"\"a"`],
    ['a\tb', String.raw`"a\tb"`],
    ['a\r\nb', String.raw`"a\r\nb"`],
    ['a\0b', String.raw`"a\u0000b"`],
    ['a\u2028b', '"a\u2028b"'],
  ])('puts %j into quotes', (quoted, written) => {
    expect(quoteWord(quoted)).toBe(written);
  });

  it('writes any word so that it is read as that word, and as no other', () => {
    fc.assert(
      fc.property(word, (text) => {
        expect(splitWords(quoteWord(text))).toEqual([text]);
      }),
      { numRuns: 1_000 },
    );
  });

  it('writes any words so that they are read as those, whatever blanks are between and around them', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(word, blanks)),
        blanksOrNone,
        blanksOrNone,
        (parts, before, after) => {
          const line = parts.map(
            ([text, gap], index) => quoteWord(text) + (parts[index + 1] ? gap : ''),
          );
          expect(splitWords(before + line.join('') + after)).toEqual(parts.map(([text]) => text));
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('never writes CR, LF or NUL, so a word can end no line', () => {
    fc.assert(
      fc.property(word, (text) => {
        expect(quoteWord(text)).not.toMatch(/[\r\n\0]/);
      }),
      { numRuns: 1_000 },
    );
  });

  it('comes to an end with a mebibyte of anything', () => {
    for (const character of [' ', '"', '\\', '\0', '\n', 'x']) {
      const text = character.repeat(MEBIBYTE);
      expect(splitWords(quoteWord(text))).toEqual([text]);
    }
  });
});
