import { describe, expect, it } from 'vitest';
import { BufferedBytes } from './buffered-bytes.js';

/** Some who hold bytes, and what they are told. */
function crowd(max: number, count: number) {
  const told: string[] = [];
  const buffered = new BufferedBytes(
    max,
    () => count,
    (isStrained, total) => told.push(`${isStrained ? 'strained' : 'relieved'} at ${total}`),
  );
  function holder(name: string) {
    let held = 0;
    const who = { readOn: () => told.push(`${name} reads on`) };
    return (bytes: number): boolean => {
      const grown = bytes - held;
      held = bytes;
      return buffered.change(who, held, grown);
    };
  }
  return { buffered, told, holder };
}

describe('What is kept for all clients', () => {
  it('is the sum of what is kept for each', () => {
    const { buffered, holder } = crowd(1_000, 2);
    const [a, b] = [holder('a'), holder('b')];
    a(300);
    b(400);
    a(100);
    expect(buffered.total).toBe(500);
  });

  it('makes nobody wait up to the limit', () => {
    const { told, holder } = crowd(1_000, 2);
    const [a, b] = [holder('a'), holder('b')];
    expect(a(900)).toBe(false);
    expect(b(100)).toBe(false);
    expect(told).toEqual([]);
  });

  it('makes the greediest wait beyond it, and not those who hold little', () => {
    const { told, holder } = crowd(1_000, 4);
    const [greedy, modest] = [holder('greedy'), holder('modest')];
    greedy(950);
    expect(modest(60)).toBe(false);
    expect(greedy(951)).toBe(true);
    expect(modest(125)).toBe(false);
    expect(modest(126)).toBe(true); // more than its share of half of the limit
    expect(told).toEqual(['strained at 1010']);
  });

  it('lets those who wait read on when it is well below the limit, and not at each step below it', () => {
    const { told, holder } = crowd(1_000, 2);
    const [a, b] = [holder('a'), holder('b')];
    a(600);
    expect(b(500)).toBe(true);
    expect(a(400)).toBe(true);
    expect(told).toEqual(['strained at 1100']);
    a(200);
    expect(told).toEqual(['strained at 1100', 'relieved at 700', 'b reads on', 'a reads on']);
    expect(a(900)).toBe(true);
    expect(told.at(-1)).toBe('strained at 1400');
  });

  it('does not ask who has gone to read on', () => {
    const { told, holder } = crowd(1_000, 2);
    const [a, b] = [holder('a'), holder('b')];
    a(1_000);
    expect(b(600)).toBe(true);
    b(0); // as one who leaves
    a(100);
    expect(told).toEqual(['strained at 1600', 'relieved at 100']);
  });
});
