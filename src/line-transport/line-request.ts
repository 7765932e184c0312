/**
 * What a client may ask, and how it becomes a line. A request is one whole line or an error: whatever data it is made of,
 * it cannot smuggle in a second one. Pure.
 */
import { LineError } from './line-errors.js';
import { quoteWord } from './quoting.js';

/** What stands behind the command: nothing if empty, else a text as it is, or words, in quotes where they must be. */
export type LineRequestData = string | number | readonly (string | number)[];

/**
 * The line that asks: the pattern, then a blank and the data if there is any.
 * @throws {LineError} `ERR_LINE_REQUEST` if that is no line
 */
export function requestLine(pattern: unknown, data: unknown): string {
  const command = words([pattern], 'pattern', 'a string or a number').join('');
  const rest = Array.isArray(data)
    ? words(data, 'data', 'an array of strings and numbers').map(quoteWord).join(' ')
    : words([data], 'data', 'a string, a number or an array of them').join('');
  const line = rest === '' ? command : `${command} ${rest}`;
  if (/[\r\n\0]/.test(line)) {
    throw new LineError('ERR_LINE_REQUEST', 'A request is one line: no CR, LF or NUL inside.');
  }
  return line;
}

function words(parts: readonly unknown[], what: string, wanted: string): string[] {
  if (parts.some((part) => typeof part !== 'string' && typeof part !== 'number')) {
    throw new LineError('ERR_LINE_REQUEST', `The ${what} of a request must be ${wanted}.`);
  }
  return parts.map(String);
}
