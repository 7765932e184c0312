import { describe, expect, it } from 'vitest';
import { escapeControls, quoted } from './escape.js';

describe('quoted', () => {
  it('leaves what is visible as it is', () => {
    for (const text of ['TIME', 'TIME now?', '~!@#$%^&*()', '"', 'jam berapa – é ß 時 😀 €', '']) {
      expect(quoted(text)).toBe(`'${text}'`);
    }
  });

  it.each([
    ['a tab', '\t', '\\t'],
    ['a carriage return', '\r', '\\r'],
    ['a line feed', '\n', '\\n'],
    ['a quote', "'", "\\'"],
    ['a backslash', '\\', '\\\\'],
    ['NUL', '\0', '\\x00'],
    ['ESC', '\u001B', '\\x1b'],
    ['DEL', '\u007F', '\\x7f'],
    ['NEL, a line end to some', '\u0085', '\\x85'],
    ['CSI of C1', '\u009B', '\\x9b'],
    ['a no-break space', '\u00A0', '\\xa0'],
    ['a soft hyphen', '\u00AD', '\\xad'],
    ['a zero-width space', '\u200B', '\\u200b'],
    ['a zero-width joiner', '\u200D', '\\u200d'],
    ['a right-to-left override', '\u202E', '\\u202e'],
    ['a right-to-left isolate', '\u2067', '\\u2067'],
    ['a line separator', '\u2028', '\\u2028'],
    ['a paragraph separator', '\u2029', '\\u2029'],
    ['an ideographic space', '\u3000', '\\u3000'],
    ['a byte order mark', '\uFEFF', '\\ufeff'],
    ['a private character', '\uE000', '\\ue000'],
    ['half a surrogate pair', '\uD83D', '\\ud83d'],
    ['a tag character', '\u{E0041}', '\\U000e0041'],
  ])('spells out %s as Python does', (_what, character, spelt) => {
    expect(quoted(`a${character}b`)).toBe(`'a${spelt}b'`);
  });

  it('takes terminal control sequences their effect', () => {
    expect(quoted('\u001B[2J\u001B]0;owned\u0007\u009B31m')).toBe(
      "'\\x1b[2J\\x1b]0;owned\\x07\\x9b31m'",
    );
  });

  it('lets no text close the quotes or begin a line', () => {
    const forged = "'\r\n2026-11-22 06:14:20,123 - [SERVER] - Server berhenti.";
    expect(quoted(forged)).toBe("'\\'\\r\\n2026-11-22 06:14:20,123 - [SERVER] - Server berhenti.'");
    expect(quoted("\\'")).toBe("'\\\\\\''");
  });

  it('gives every text its own spelling', () => {
    expect(quoted('\\x1b')).not.toBe(quoted('\u001B'));
    expect(quoted('\\n')).not.toBe(quoted('\n'));
  });

  it('gives nothing but printable characters, whatever character it is given', () => {
    const every = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code));
    for (const character of every) {
      expect(quoted(character)).toMatch(/^'[\p{L}\p{N}\p{P}\p{S} ]+'$/u);
    }
  });

  it('keeps 1024 characters and cuts what is longer', () => {
    expect(quoted('x'.repeat(1_024))).toBe(`'${'x'.repeat(1_024)}'`);
    expect(quoted('x'.repeat(1_025))).toBe(`'${'x'.repeat(1_024)}'…`);
    expect(quoted('x'.repeat(1_048_576))).toHaveLength(1_027);
  });

  it('stays short when every character is spelt out', () => {
    for (const worst of ['\0', '\u202E', '\u{E0041}', '\uD800']) {
      expect(quoted(worst.repeat(500_000)).length).toBeLessThan(8_192);
    }
  });

  it('cuts a character in two without harm', () => {
    expect(quoted(`${'x'.repeat(1_023)}😀`)).toBe(`'${'x'.repeat(1_023)}\\ud83d'…`);
  });
});

describe('escapeControls', () => {
  it('leaves quotes, backslashes and whatever is visible as they are', () => {
    expect(escapeControls(`it's C:\\temp, "é"`)).toBe(`it's C:\\temp, "é"`);
  });

  it('puts the lines of a stack trace on one', () => {
    const stack = 'Error: boom\n    at one (a.js:1:2)\r\n    at two (b.js:3:4)';
    expect(escapeControls(stack)).toBe('Error: boom | at one (a.js:1:2) | at two (b.js:3:4)');
  });

  it('spells out control characters', () => {
    expect(escapeControls('\u001B[31mred\u009B0m\u202E a\tb\rc\u2028d')).toBe(
      '\\x1b[31mred\\x9b0m\\u202e a\\tb\\rc\\u2028d',
    );
  });

  it('takes time in proportion to the text, also when it is all blanks', () => {
    const blanks = ' '.repeat(1_000);
    expect(escapeControls(`x${blanks}y`)).toBe(`x${blanks}y`);
    expect(escapeControls(`x${' '.repeat(3_000_000)}y`)).toMatch(/^x +… +y$/);
    expect(escapeControls(`x${' \n'.repeat(3_000_000)}y`)).toMatch(/^x[ |]+…[ |]+y$/);
  });

  it('keeps the begin and the end of a long text: what was wrong, and where', () => {
    const long = `Error: ${'x'.repeat(1_048_576)}\n    at one (a.js:1:2)\n    at two (b.js:3:4)`;
    const escaped = escapeControls(long);
    expect(escaped).toMatch(/^Error: x+ … x+ \| at one \(a\.js:1:2\) \| at two \(b\.js:3:4\)$/);
    expect(escaped.length).toBeLessThan(2_600);
  });

  it.each([
    ['controls', '\0'],
    ['marks of direction', '\u202E'],
    ['tag characters', '\u{E0041}'],
    ['half pairs of surrogates', '\uD800'],
    ['what takes three bytes', '時'],
    ['what takes four bytes', '\u{1F600}'],
    ['backslashes', '\\'],
    ['line ends', '\n'],
  ])('stays short when the text is all %s', (_what, character) => {
    const escaped = escapeControls(`x${character.repeat(500_000)}`);
    expect(Buffer.byteLength(JSON.stringify(escaped))).toBeLessThan(8_192);
    expect(escaped).toMatch(/^[\p{L}\p{N}\p{P}\p{S} ]+$/u);
  });
});
