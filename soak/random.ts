/**
 * Numbers that look random and are the same in every run, so that a run that finds something can be repeated.
 */
export type Random = () => number;

/** From 0 up to 1, as `Math.random` has it; mulberry32. */
export function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A whole number from 0 up to, and without, the limit. */
export function below(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

export function randomBytes(length: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length }, () => below(256, random)));
}
