/**
 * ReplyChecker: whether replies are those that were asked for, byte by byte and in their order, at a cost of next to nothing. Pure.
 */
import { TIME_REPLY, UNKNOWN_REPLY } from './words.js';

const DIGIT = 0x30;
const NINE = 0x39;
const DAY = 240_000;
/** A time of day may be less than the one before at midnight only. */
const LATE = 235_900;

const REPLIES = { time: Buffer.from(TIME_REPLY), unknown: Buffer.from(UNKNOWN_REPLY) } as const;

/** What a line asks for. */
export type Kind = keyof typeof REPLIES;

export class ReplyChecker {
  /** Complete replies that came as they must. */
  replies = 0;
  /** What was wrong first; nothing is looked at after it. */
  fault: string | undefined;
  #expected: Buffer;
  /** Bytes of the expected reply that have come. */
  #at = 0;
  #time = 0;
  #timeBefore = 0;

  /** @param pattern what the lines ask for; it begins again when it is over */
  constructor(private readonly pattern: readonly Kind[]) {
    this.#expected = this.#next();
  }

  push(chunk: Buffer): void {
    if (this.fault !== undefined) return;
    let expected = this.#expected;
    let at = this.#at;
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      const wanted = expected[at];
      if (wanted === DIGIT) {
        if (byte < DIGIT || byte > NINE) return this.#fail(chunk, index, at);
        this.#time = this.#time * 10 + byte - DIGIT;
      } else if (byte !== wanted) {
        return this.#fail(chunk, index, at);
      }
      if (++at < expected.length) continue;
      if (expected === REPLIES.time && !this.#isTimeInOrder()) return this.#fail(chunk, index, at);
      this.replies++;
      expected = this.#next();
      at = 0;
    }
    this.#expected = expected;
    this.#at = at;
  }

  #next(): Buffer {
    return REPLIES[this.pattern[this.replies % this.pattern.length] ?? 'time'];
  }

  #isTimeInOrder(): boolean {
    const [time, before] = [this.#time, this.#timeBefore];
    this.#time = 0;
    this.#timeBefore = time;
    if (time === before) return true;
    return (
      time < DAY && time % 10_000 < 6_000 && time % 100 < 60 && (time > before || before >= LATE)
    );
  }

  #fail(chunk: Buffer, index: number, at: number): void {
    const came = chunk.subarray(Math.max(0, index - at), index + 40).toString('latin1');
    this.fault = `reply ${this.replies + 1} is ${JSON.stringify(came)}`;
  }
}
