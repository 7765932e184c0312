/**
 * What an input means: how the server is set, how the bytes of a client are cut, and how it ends. Every sequence of bytes is a
 * script, so that whatever a mutation makes of one is another.
 */

/** What happens once a chunk has come: nothing before the next, a tick, a turn of the event loop, or a silence longer than any. */
export type After = 'at once' | 'tick' | 'turn' | 'quiet';

/** How the client ends: its FIN when all is quiet or right behind its last byte, its server closes, or it is cut off. */
export type Ending = 'fin' | 'drain' | 'cut' | 'hasty fin';

export interface Chunk {
  readonly bytes: Buffer;
  readonly after: After;
}

/** How the server is set that serves the script. */
export interface Setting {
  readonly maxLineBytes: number;
  readonly hasGrace: boolean;
  readonly ignoreCase: boolean;
  readonly isPipeline: boolean;
  /** 0 is no end. */
  readonly maxProtocolErrors: number;
}

export interface Script {
  readonly setting: Setting;
  /** How much the client takes before it has to be waited for, and whether it takes its time. */
  readonly reader: { readonly takes: number; readonly isSlow: boolean };
  readonly chunks: readonly Chunk[];
  readonly ending: Ending;
}

const LIMITS = [16, 1, 64, 1024] as const;
const READERS = [
  { takes: 65_536, isSlow: false },
  { takes: 1, isSlow: false },
  { takes: 1, isSlow: true },
  { takes: 64, isSlow: true },
] as const;
const AFTER = ['at once', 'tick', 'turn', 'quiet'] as const;
const ENDINGS = ['fin', 'drain', 'cut', 'hasty fin'] as const;

/** The bytes before the lengths of the chunks. */
export const SETTINGS_LENGTH = 2;
/** More of them say nothing new, and take their time: then all the rest comes at once. */
const MAX_CHUNKS = 128;
/** Silences, and then turns of the event loop, of which the same is true. */
const MAX_WAITS = 16;

/** How many of an input's bytes say how the others are cut. */
export function headerOf(input: Buffer): number {
  return Math.min(SETTINGS_LENGTH + ((input[1] ?? 0) >> 2), input.length);
}

/**
 * - Byte 0, from its lowest bit: limit (2 bits), an end after three errors, line grace, any case, pipeline, reader (2 bits).
 * - Byte 1: ending (2 bits), how many lengths follow (6 bits).
 * - Lengths: that of a chunk (6 bits, 0 is all the rest), and what happens then (2 bits). They are used over and over.
 * - What the client sends.
 */
export function readScript(input: Buffer): Script {
  const [settings = 0, course = 0] = input;
  const begin = headerOf(input);
  return {
    setting: {
      maxLineBytes: LIMITS[settings & 3] ?? LIMITS[0],
      hasGrace: (settings & 8) !== 0,
      ignoreCase: (settings & 16) !== 0,
      isPipeline: (settings & 32) !== 0,
      maxProtocolErrors: (settings & 4) === 0 ? 0 : 3,
    },
    reader: READERS[settings >> 6] ?? READERS[0],
    chunks: cut(input.subarray(begin), input.subarray(SETTINGS_LENGTH, begin)),
    ending: ENDINGS[course & 3] ?? ENDINGS[0],
  };
}

function cut(sent: Buffer, lengths: Buffer): Chunk[] {
  const chunks: Chunk[] = [];
  let waits = 0;
  for (let at = 0; at < sent.length;) {
    const cutting = lengths[chunks.length % Math.max(lengths.length, 1)] ?? 0;
    const isLast = chunks.length === MAX_CHUNKS - 1;
    const length = isLast ? sent.length : cutting & 63 || sent.length;
    const after = AFTER[cutting >> 6] ?? AFTER[0];
    if (after === 'turn' || after === 'quiet') waits++;
    chunks.push({
      bytes: sent.subarray(at, at + length),
      after: waits > MAX_WAITS ? 'at once' : after,
    });
    at += length;
  }
  return chunks;
}
