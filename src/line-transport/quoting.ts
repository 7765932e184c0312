/**
 * Words on a line, and how a word with blanks in it is written. Pure; knows nothing of commands.
 */
import { isBlank } from './line-text.js';

/** A word in quotes: a JSON string (RFC 8259, 7), in which a tab or another control character may also stand as it is. */
const QUOTED = /"((?:[^"\\]|\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4}))*)"/y;

/**
 * The words of a text: what blanks separate. A word that begins with `"` ends with the next unescaped `"`, which a blank or the
 * end follows; elsewhere a quote is a character like any other.
 * @returns `undefined` if a quoted word is not closed, has an unknown escape, or touches what follows it
 */
export function splitWords(text: string): string[] | undefined {
  const words: string[] = [];
  for (let at = pastBlanks(text, 0); at < text.length; at = pastBlanks(text, at)) {
    const end = text[at] === '"' ? endOfQuoted(text, at) : endOfPlain(text, at);
    if (end === undefined) return undefined;
    words.push(text[at] === '"' ? unquoted(text.slice(at + 1, end - 1)) : text.slice(at, end));
    at = end;
  }
  return words;
}

/** Writes a word so that {@link splitWords}, and so a command that takes words, reads it as one; in quotes where it must be. */
export function quoteWord(word: string): string {
  // JSON leaves U+0085, U+2028 and others as they are; inside quotes they are no separators.
  const isPlain = word !== '' && !word.startsWith('"') && endOfPlain(word, 0) === word.length;
  return isPlain && !word.includes('\0') ? word : JSON.stringify(word);
}

function pastBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && isBlank(text.charCodeAt(at))) at++;
  return at;
}

function endOfPlain(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isBlank(text.charCodeAt(at))) at++;
  return at;
}

function endOfQuoted(text: string, from: number): number | undefined {
  QUOTED.lastIndex = from;
  if (!QUOTED.test(text)) return undefined;
  const end = QUOTED.lastIndex;
  return end === text.length || isBlank(text.charCodeAt(end)) ? end : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

function unquoted(text: string): string {
  return text.replace(/\\(?:u(.{4})|(.))/gs, (_, hex: string | undefined, escaped: string) =>
    hex === undefined
      ? (ESCAPES[escaped] ?? escaped)
      : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
