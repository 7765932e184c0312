/**
 * How text from outside appears in the log: visible, on one line, and unable to forge or break a line.
 */

/** A client's text beyond this many characters is cut, so that a line of input cannot become a page of log. */
const MAX_LENGTH = 1_024;

/** Everything but letters, digits, punctuation, symbols and the blank: controls, line ends, bidi and zero-width marks. */
const UNSAFE = /[^\p{L}\p{N}\p{P}\p{S} ]/gu;
const UNSAFE_IN_QUOTES = /[^\p{L}\p{N}\p{P}\p{S} ]|['\\]/gu;

/** Quotes a client's text as Python's `repr` does. */
export function quoted(text: string): string {
  const cut = text.slice(0, MAX_LENGTH);
  return `'${cut.replace(UNSAFE_IN_QUOTES, escaped)}'${cut.length < text.length ? '…' : ''}`;
}

/** Puts a text of our own making, a stack trace say, on one line. */
export function escapeControls(text: string): string {
  // Not by a pattern: `\s*\n` is quadratic on the blanks of a client's line that an error quotes.
  const lines = text.split('\n').map((line) => line.trim());
  return lines.join(' | ').replace(UNSAFE, escaped);
}

const SHORT: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  "'": "\\'",
  '\\': '\\\\',
};

function escaped(character: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code <= 0xffff) return `\\u${code.toString(16).padStart(4, '0')}`;
  return `\\U${code.toString(16).padStart(8, '0')}`;
}
