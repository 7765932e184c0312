/**
 * Work that keeps a processor busy for some 50 µs: always the same steps, so that a process that has to wait for a core has not
 * worked meanwhile.
 */
const STEPS = 27_000;

export function burn(): number {
  let state = 0x2545_f491;
  for (let i = 0; i < STEPS; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  return state;
}
