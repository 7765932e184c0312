/**
 * Spelling: finds what a word stands for by its bytes, without making a string of them. Pure.
 */
import { isBlank } from './line-text.js';

/** So many places for words, by length and first byte; a power of two. */
const PLACES = 64;
const SPACE = 0x20;

interface Word<T> {
  readonly bytes: Buffer;
  readonly value: T;
}

export class Spelling<T> {
  readonly #places: (Word<T>[] | undefined)[] = Array.from({ length: PLACES }, () => undefined);

  /** @param word text that has no blanks around it; one with half a surrogate pair is not found, as no bytes spell it */
  set(word: string, value: T): void {
    const bytes = Buffer.from(word);
    if (bytes.toString() !== word) return;
    const place = placeOf(bytes.length, bytes[0]);
    const others = this.#places[place]?.filter((other) => !other.bytes.equals(bytes)) ?? [];
    this.#places[place] = [...others, { bytes, value }];
  }

  /** What these bytes spell, the ASCII blanks around them aside; `undefined` also for a blank line. */
  find(bytes: Buffer, from: number, to: number): T | undefined {
    let start = from;
    let end = to;
    while (start < end && isAsciiBlank(bytes[start])) start++;
    while (end > start && isAsciiBlank(bytes[end - 1])) end--;
    const length = end - start;
    if (length === 0) return undefined;
    const words = this.#places[placeOf(length, bytes[start])];
    if (words === undefined) return undefined;
    for (const word of words) {
      if (word.bytes.length === length && isAt(word.bytes, bytes, start)) return word.value;
    }
    return undefined;
  }
}

function placeOf(length: number, first = 0): number {
  return (length * 7 + first) % PLACES;
}

/** A blank that is one byte of UTF-8: none is beyond the space. */
function isAsciiBlank(byte = 0): boolean {
  return byte <= SPACE && isBlank(byte);
}

function isAt(word: Buffer, bytes: Buffer, start: number): boolean {
  for (let index = 0; index < word.length; index++) {
    if (word[index] !== bytes[start + index]) return false;
  }
  return true;
}
