/**
 * Makes an input as short and as plain as it can be and still as good. Knows nothing of what that is.
 */
import { SETTINGS_LENGTH } from './script.js';

type IsAsGood = (simpler: Buffer) => Promise<boolean>;

/** @param isAsGood whether this one will do, too */
export async function shrink(input: Buffer, isAsGood: IsAsGood): Promise<Buffer> {
  let best = input;
  for (let before: Buffer | undefined; before !== best;) {
    before = best;
    best = await plainer(best, isAsGood);
    best = await shorter(best, isAsGood);
  }
  return best;
}

/** The settings of most, and no cuts, where that makes no difference. */
async function plainer(input: Buffer, isAsGood: IsAsGood): Promise<Buffer> {
  let best = input;
  for (let at = 0; at < Math.min(SETTINGS_LENGTH, input.length); at++) {
    if (best[at] === 0) continue;
    const simpler = Buffer.from(best);
    simpler[at] = 0;
    if (await isAsGood(simpler)) best = simpler;
  }
  return best;
}

async function shorter(input: Buffer, isAsGood: IsAsGood): Promise<Buffer> {
  let best = input;
  for (let length = best.length >> 1; length > 0; length >>= 1) {
    for (let at = 0; at < best.length;) {
      const simpler = Buffer.concat([best.subarray(0, at), best.subarray(at + length)]);
      if (await isAsGood(simpler)) best = simpler;
      else at += length;
    }
  }
  return best;
}
