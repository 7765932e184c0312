/**
 * How text from outside appears in the log: visible, on one line, and unable to forge or break a line.
 */

/** A client's text beyond this many characters is cut, so that a line of input cannot become a page of log. */
const MAX_LENGTH = 1_024;

/** Of a text of our own the begin and the end are kept: the message of an error, and where it was thrown. */
const MAX_HEAD = 1_024;
const MAX_TAIL = 1_536;

/** Everything but letters, digits, punctuation, symbols and the blank: controls, line ends, bidi and zero-width marks. */
const UNSAFE = /[^\p{L}\p{N}\p{P}\p{S} ]/gu;
const UNSAFE_IN_QUOTES = /[^\p{L}\p{N}\p{P}\p{S} ]|['\\]/gu;

/** Quotes a client's text as Python's `repr` does. */
export function quoted(text: string): string {
  const cut = text.slice(0, MAX_LENGTH);
  return `'${cut.replace(UNSAFE_IN_QUOTES, escaped)}'${cut.length < text.length ? '…' : ''}`;
}

/** Puts a text of our own making, a stack trace say, on one line; it may quote what a client sent. */
export function escapeControls(text: string): string {
  // Not by a pattern: `\s*\n` is quadratic on the blanks of a client's line that an error quotes.
  const lines = shortened(text)
    .split('\n')
    .map((line) => line.trim());
  return shortened(lines.join(' | ').replace(UNSAFE, escaped)); // once more: a control character is up to ten when it is spelt out
}

/** Leaves out the middle of a long text, no pair of surrogates cut in two. */
function shortened(text: string): string {
  if (text.length <= MAX_HEAD + MAX_TAIL) return text;
  const head = text.slice(0, MAX_HEAD).replace(/[\uD800-\uDBFF]$/, '');
  return `${head} … ${text.slice(-MAX_TAIL).replace(/^[\uDC00-\uDFFF]/, '')}`;
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
