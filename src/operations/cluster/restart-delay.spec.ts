import { describe, expect, it } from 'vitest';
import { RestartDelay } from './restart-delay.js';

describe('The delay before a worker is replaced', () => {
  it('is a tenth of a second for one that had served, however often', () => {
    const delay = new RestartDelay();
    expect([true, true, true, true].map((wasReady) => delay.after(wasReady))).toEqual([
      100, 100, 100, 100,
    ]);
    expect(delay.endsInARow).toBe(0);
  });

  it('doubles with each in a row that never served, up to five seconds', () => {
    const delay = new RestartDelay();
    const delays = Array.from({ length: 9 }, () => delay.after(false));
    expect(delays).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000, 5_000]);
    expect(delay.endsInARow).toBe(9);
  });

  it('begins anew with one that had served', () => {
    const delay = new RestartDelay();
    delay.after(false);
    delay.after(false);
    expect([delay.after(true), delay.after(false), delay.after(false)]).toEqual([100, 100, 200]);
  });

  it('has an upper bound also after thousands', () => {
    const delay = new RestartDelay();
    for (let end = 0; end < 5_000; end++) delay.after(false);
    expect(delay.after(false)).toBe(5_000);
  });
});
