/**
 * What a client is told, from the rules of docs/PROTOCOL.md and the transport's README alone: the whole input at once, slowly, and
 * with nothing of the code that is tested.
 */
// oxlint-disable no-control-regex -- blanks, telnet and what quotes may hold are control characters
import type { Script } from './script.js';

/** What comes out of a client's bytes: a line, in which each character is a byte; a line too long; a timing mark. */
export type Item = { readonly line: string } | 'too long' | 'mark';

/** What the client hears, and why its conversation is over. */
export interface Told {
  readonly said: string;
  readonly reason: string;
}

const MARK = 'mark';
const QUIET = 'quiet';
const TELNET =
  /(?<mark>\xff+\xfd\x06)|\xff+[\xfb-\xfe][^]|\xff+\xfa(?:[^\xff]|\xff[^\xf0])*(?:\xff\xf0|\xff?$)|\xff+[\xf0-\xfe]|\xff+|(?<text>[^\xff]+)/gy;
/** What Python's `str.strip` takes off. */
const BLANK = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;
const BLANKS_AROUND = new RegExp(`^(?:${BLANK.source})+|(?:${BLANK.source})+$`, 'g');

/**
 * The lines, and what else is to be answered, in order.
 * @param isAnsweredEarly whether an unfinished line is one that is answered when it stays quiet
 */
export function itemsOf(
  { chunks, setting: { maxLineBytes }, ending }: Script,
  isAnsweredEarly: (line: string) => boolean,
): Item[] {
  const items: Item[] = [];
  let line = '';
  let isDiscarded = false;
  let isRest = false;
  const endLine = (): void => {
    if (!isRest || textOf(line) !== '') items.push({ line });
    isRest = false;
    line = '';
  };
  for (const what of unitsOf(chunks, ending)) {
    if (what === MARK) {
      items.push('mark');
    } else if (what === QUIET) {
      if (line === '' || !isAnsweredEarly(line)) continue;
      items.push({ line });
      line = '';
      isRest = true;
    } else if (what === '\n') {
      if (!isDiscarded) endLine();
      isDiscarded = false;
    } else if (!isDiscarded) {
      line += what;
      // A CR in the first place beyond the limit may be half of a line end.
      isDiscarded = line.length > maxLineBytes + (what === '\r' ? 1 : 0);
      if (!isDiscarded) continue;
      items.push('too long');
      line = '';
      isRest = false;
    }
  }
  if (ending.endsWith('fin') && line !== '') endLine();
  return items;
}

/** What is left to be read when telnet is taken out: bytes of text, marks and silences. */
function unitsOf(chunks: Script['chunks'], ending: Script['ending']): string[] {
  const sent = Buffer.concat(chunks.map(({ bytes }) => bytes)).toString('latin1');
  const quiet = silencesOf(chunks, ending);
  const units: string[] = [];
  /** A silence within a sequence is one before it: nothing of the sequence is text. */
  const add = (unit: string, end: number): void => {
    while (end > (quiet[0] ?? end)) {
      quiet.shift();
      units.push(QUIET);
    }
    units.push(unit);
  };
  let before = '';
  for (const { index, 0: sequence, groups } of sent.matchAll(TELNET)) {
    if (groups?.['mark'] !== undefined) add(MARK, index + sequence.length);
    if (groups?.['text'] === undefined) continue;
    for (let at = 0; at < sequence.length; at++) {
      const byte = sequence.charAt(at);
      if (!(before === '\r' && byte === '\0')) add(byte, index + at + 1);
      before = byte;
    }
  }
  return [...units, ...quiet.map(() => QUIET)];
}

/** Where it is quiet: after so many bytes. */
function silencesOf(chunks: Script['chunks'], ending: Script['ending']): number[] {
  const silences: number[] = [];
  let at = 0;
  for (const { bytes, after } of chunks) {
    at += bytes.length;
    if (after === 'quiet') silences.push(at);
  }
  return ending === 'drain' ? [...silences, at] : silences;
}

/** The text of a line, without the blanks around it. */
export function textOf(line: string): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(line, 'latin1'));
  return text.replace(BLANKS_AROUND, '');
}

/** What the server of commands.ts says to such a client. */
export function told(script: Script): Told {
  const { ignoreCase, hasGrace, maxLineBytes, maxProtocolErrors } = script.setting;
  const spelt = (text: string): string =>
    ignoreCase ? text.replace(/[a-z]/g, (letter) => letter.toUpperCase()) : text;
  const isWhole = (line: string): boolean => PLAIN.has(spelt(textOf(line)));
  let said = '';
  let errors = 0;
  for (const item of itemsOf(script, (line) => hasGrace && isWhole(line))) {
    if (item === 'mark') {
      said += '\xff\xfc\x06';
      continue;
    }
    const { lines, isFault, closes } =
      item === 'too long'
        ? fault(`LINE TOO LONG. At most ${maxLineBytes} bytes.`)
        : answer(textOf(item.line), spelt);
    for (const line of lines) said += asBytes(`${line.replace(/[\r\n\0]+/g, ' ')}\r\n`);
    if (closes) return { said, reason: 'quit' };
    errors = isFault ? errors + 1 : 0;
    if (maxProtocolErrors > 0 && errors === maxProtocolErrors) {
      return { said: `${said}TOO MANY ERRORS.\r\n`, reason: 'tooManyErrors' };
    }
  }
  const reasons = { fin: 'client', 'hasty fin': 'client', drain: 'shutdown', cut: 'reset' };
  return { said, reason: reasons[script.ending] };
}

function asBytes(text: string): string {
  return Buffer.from(text).toString('latin1');
}

interface Answered {
  readonly lines: readonly string[];
  readonly isFault: boolean;
  readonly closes: boolean;
}

function fault(line: string): Answered {
  return { lines: [line], isFault: true, closes: false };
}

function reply(...lines: string[]): Answered {
  return { lines, isFault: false, closes: false };
}

function close(...lines: string[]): Answered {
  return { lines, isFault: false, closes: true };
}

/** The commands that nothing may follow. */
const PLAIN: ReadonlyMap<string, Answered> = new Map([
  ['PING', reply('PONG')],
  ['PING ALL', reply('PONG', '', 'PONG')],
  ['LATE', reply('LATE')],
  ['SLOW', reply('SLOW')],
  ['NONE', reply()],
  ['NO', reply('ERROR: no')],
  ['EACH', reply('one', 'two', 'pushed')],
  ['EMIT', reply('1', '2', '3')],
  ['PÈRE', reply('fils é')],
  ['BYE', close('bye')],
  ['QUIT', close()],
]);

const KNOWN =
  'PING, PING ALL, LATE, SLOW, NONE, NO, EACH, EMIT, PÈRE, SAY, SAY AS IT IS, SET, BYE or QUIT';

/** The commands that something may follow; those with longer names first. */
const OPEN: readonly (readonly [name: string, answer: (rest: string) => Answered])[] = [
  ['SAY AS IT IS', (rest) => reply(rest)],
  ['SAY', (rest) => withWords(rest, (words) => reply(JSON.stringify(words)))],
  ['SET', (rest) => withWords(rest, set)],
];

function answer(text: string, spelt: (text: string) => string): Answered {
  const plain = PLAIN.get(spelt(text));
  if (plain !== undefined) return plain;
  for (const [name, answerTo] of OPEN) {
    if (spelt(text.slice(0, name.length)) !== name) continue;
    const rest = text.slice(name.length);
    if (rest === '' || BLANK.test(rest.charAt(0))) return answerTo(rest.replace(BLANKS_AROUND, ''));
  }
  return fault(`UNKNOWN COMMAND. Use ${KNOWN}.`);
}

function set(words: readonly string[]): Answered {
  const [key, value] = words;
  if (key === undefined || words.length > 2)
    return fault('WRONG ARGUMENTS. Use SET <key> [value].');
  return reply(`${key} is ${value ?? 'nothing'}`);
}

/** The words as JSON reads those in quotes. */
function withWords(rest: string, answerTo: (words: string[]) => Answered): Answered {
  const words: string[] = [];
  for (let left = rest; left !== ''; left = left.replace(BLANKS_AROUND, '')) {
    const word = left.startsWith('"') ? quoted(left) : plainWord(left);
    if (word === undefined) return fault('UNBALANCED QUOTES.');
    words.push(word.text);
    left = left.slice(word.length);
  }
  return answerTo(words);
}

function plainWord(left: string): { text: string; length: number } {
  const end = left.search(BLANK);
  const text = end === -1 ? left : left.slice(0, end);
  return { text, length: text.length };
}

function quoted(left: string): { text: string; length: number } | undefined {
  let end = 1;
  while (end < left.length && left[end] !== '"') end += left[end] === '\\' ? 2 : 1;
  if (end >= left.length) return undefined;
  const after = left.charAt(end + 1);
  if (after !== '' && !BLANK.test(after)) return undefined;
  const raw = left.slice(0, end + 1);
  try {
    const text: unknown = JSON.parse(raw.replace(/\\[^]|[\0-\x1f]/g, asEscape));
    return typeof text === 'string' ? { text, length: raw.length } : undefined;
  } catch {
    return undefined;
  }
}

/** A control character may stand in quotes, which JSON does not allow; behind a backslash neither does. */
function asEscape(special: string): string {
  if (special.startsWith('\\')) return special;
  return `\\u${special.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
