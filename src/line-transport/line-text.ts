/**
 * What a line's bytes say: UTF-8 text without the blanks around it. Pure.
 */

/**
 * Blanks are what Python's `str.strip` takes off: `String.prototype.trim` differs in U+FEFF (which it
 * removes) and in U+001C–U+001F and U+0085 (which it leaves).
 */
export function isBlank(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || code >= 0x1c;
  if (code < 0x85) return false;
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

/** Takes the blanks off both ends. A loop rather than a pattern: `[…]+$` is quadratic on hostile input. */
export function strip(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

/**
 * Decodes a line, which is these bytes or a range of them. Bytes that are no UTF-8 become U+FFFD, so such a line never equals a
 * command made of valid text; a byte order mark stays, so it makes a command unknown.
 */
export function lineText(bytes: Buffer, start = 0, end = bytes.length): string {
  return strip(bytes.toString('utf8', start, end));
}
