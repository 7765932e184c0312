/**
 * Makes inputs out of inputs: a few small changes each, some of them with what means something to the server.
 */
import { headerOf } from './script.js';

/** What a line, a telnet sequence or a quoted word is made of; each character is a byte. */
const TOKENS = [
  ['\n', '\r\n', '\r', '\r\0', '\0', ' ', '\t', '"', '\\', '\\u00e9', '\\"', '\x1c', '\x7f'],
  ['PING', 'PING ALL', 'LATE', 'SLOW', 'NONE', 'NO', 'EACH', 'EMIT', 'BYE', 'QUIT', 'ping'],
  ['SAY', 'SAY ', 'SAY AS IT IS ', 'SET ', 'SET a b', 'P\xc3\x88RE', 'p\xc3\xa8re'],
  ['\xff', '\xff\xff', '\xff\xfd\x06', '\xff\xfb\x01', '\xff\xfa', '\xff\xf0', '\xff\xf1'],
  ['\xc2\x85', '\xc2\xa0', '\xe2\x80\xa8', '\xe3\x80\x80', '\xef\xbb\xbf', '\xc3', '\xed\xa0\x80'],
  ['\x80', '\xf0\x9f\x98\x80', 'x'.repeat(16), 'x'.repeat(64), ' '.repeat(31), '\n'.repeat(300)],
  ['PING\n'.repeat(40), 'LATE\r\n'.repeat(40)],
]
  .flat()
  .map((token) => Buffer.from(token, 'latin1'));

/** Lengths of chunks, and what happens then, that are worth trying: see script.ts. */
const CUTS = [0, 1, 2, 3, 5, 63].flatMap((length) =>
  [0, 64, 128, 192].map((then) => length + then),
);

const MAX_CHANGES = 5;

export class Mutator {
  #state: number;

  /** @param seed the same one makes the same inputs of the same inputs */
  constructor(
    seed: number,
    private readonly maxBytes: number,
  ) {
    this.#state = seed >>> 0;
  }

  /** @param other another input, parts of which may get into this one */
  mutate(input: Buffer, other: Buffer): Buffer {
    let mutated = input;
    const changes = 1 + this.below(MAX_CHANGES);
    for (let change = 0; change < changes; change++) mutated = this.#change(mutated, other);
    return Buffer.from(mutated.subarray(0, this.maxBytes));
  }

  /** A random whole number. */
  below(bound: number): number {
    // Mulberry32
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * bound);
  }

  #change(input: Buffer, other: Buffer): Buffer {
    const header = headerOf(input);
    switch (this.below(12)) {
      case 0:
        return this.#set(input, this.below(2), this.below(256));
      case 1:
        return this.#cutOtherwise(input, header);
      case 2:
        return this.#set(input, this.below(input.length), this.below(256));
      case 3: {
        const at = this.below(input.length);
        return this.#set(input, at, (input[at] ?? 0) ^ (1 << this.below(8)));
      }
      case 4:
        return this.#replace(input, header, 0, Buffer.of(this.below(256)));
      case 5:
        return this.#replace(input, header, 1 + this.below(8), Buffer.alloc(0));
      case 6:
        return this.#replace(input, header, this.below(input.length + 1), Buffer.alloc(0));
      case 7:
        return this.#replace(input, header, 0, this.#part(input, header));
      case 8:
        return this.#replace(input, header, this.below(16), this.#part(other, headerOf(other)));
      case 9:
        return this.#replace(input, header, this.below(4), this.#token());
      default:
        return this.#replace(input, header, 0, this.#token());
    }
  }

  #token(): Buffer {
    return TOKENS[this.below(TOKENS.length)] ?? Buffer.alloc(0);
  }

  /** Some of what the client sends. */
  #part(input: Buffer, header: number): Buffer {
    const from = header + this.below(input.length - header + 1);
    return input.subarray(from, from + 1 + this.below(64));
  }

  #set(input: Buffer, at: number, value: number): Buffer {
    const changed = Buffer.from(input);
    if (at < changed.length) changed[at] = value;
    return changed;
  }

  /** Puts something in the place of some of what the client sends. */
  #replace(input: Buffer, header: number, length: number, by: Buffer): Buffer {
    const at = header + this.below(input.length - header + 1);
    return Buffer.concat([input.subarray(0, at), by, input.subarray(at + length)]);
  }

  /** Other chunks of the same bytes. */
  #cutOtherwise(input: Buffer, header: number): Buffer {
    const count = this.below(4) === 0 ? this.below(32) : this.below(4);
    const cuts = Array.from({ length: count }, () => CUTS[this.below(CUTS.length)] ?? 0);
    const [settings = 0, course = 0] = input;
    const begin = Buffer.of(settings, (course & 3) | (count << 2), ...cuts);
    return Buffer.concat([begin, input.subarray(header)]);
  }
}
