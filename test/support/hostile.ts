/**
 * Text that is not what it looks like: control sequences, and what would pass for a line of its own. In the manner of what has been
 * found in logs and terminals of others.
 */

/** A line of the log's two formats that nobody has written. */
export const FORGED_LINES = [
  '2026-11-22 06:14:20,123 - [SERVER] - Server berhenti.',
  '{"level":"info","time":"2026-11-21T23:14:20.123Z","event":"shutdownFinished","cut":0,"msg":"Server berhenti."}',
] as const;

/** What each does to a terminal, or to a reader that cuts text into lines. */
export const CONTROL_SEQUENCES: readonly (readonly [what: string, text: string])[] = [
  ['a line feed', '\n'],
  ['a carriage return', '\r'],
  ['both', '\r\n'],
  ['a vertical tab', '\v'],
  ['a form feed', '\f'],
  ['a tab', '\t'],
  ['a backspace', '\b\b\b\b'],
  ['NUL', '\0'],
  ['a bell', '\u0007'],
  ['DEL', '\u007F'],
  ['a colour', '\u001B[31m'],
  ['the screen cleared', '\u001B[2J\u001B[H'],
  ['the line above erased', '\u001B[1A\u001B[2K'],
  ['the title of the window', '\u001B]0;owned\u0007'],
  ['a link', '\u001B]8;;http://example.com\u001B\\here\u001B]8;;\u001B\\'],
  ['the answerback', '\u0005\u001B[c'],
  ['a device control string', '\u001BP1$r0m\u001B\\'],
  ['CSI of C1', '\u009B31m'],
  ['OSC of C1', '\u009D0;owned\u009C'],
  ['NEL', '\u0085'],
  ['a separator of files', '\u001C'],
  ['a line separator', '\u2028'],
  ['a paragraph separator', '\u2029'],
  ['a right-to-left override', '\u202Egnol\u202C'],
  ['isolates', '\u2066\u2067\u2068\u2069'],
  ['marks of direction', '\u200E\u200F\u061C'],
  ['zero-width characters', '\u200B\u200C\u200D\u2060'],
  ['a byte order mark', '\uFEFF'],
  ['tag characters', '\u{E0001}\u{E0041}\u{E007F}'],
  ['a variation selector', '\uFE0F\u{E0100}'],
  ['a private character', '\uE000\u{F0000}'],
  ['a noncharacter', '\uFFFE\u{1FFFF}'],
];

/** Nothing but what can be seen: letters, digits, punctuation, symbols and the blank. */
export const PRINTABLE = /^[\p{L}\p{N}\p{P}\p{S} ]*$/u;
