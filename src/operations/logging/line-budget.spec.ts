import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LineBudget } from './line-budget.js';

/** A budget whose clock stands still until it is told to go on, and what has become of the lines. */
function startBudget(rate: number) {
  let now = 5_000;
  const log: string[] = [];
  const sayOmitted = ({ name }: { name: string }, count: number): number =>
    log.push(`${count} of ${name} omitted`);
  const budget = new LineBudget(rate, sayOmitted, () => now);
  return {
    budget,
    log,
    after: (ms: number): number => (now += ms),
    /** Logs so many lines of a client, and tells how many were written. */
    spend: (client: { name: string }, lines: number, length = 80): number => {
      let written = 0;
      for (let line = 0; line < lines; line++) {
        budget.spend(client, () => {
          written++;
          return length;
        });
      }
      return written;
    },
  };
}

const ADA = { name: 'Ada' };
const BOB = { name: 'Bob' };

describe('LineBudget', () => {
  it('writes ten seconds’ worth of lines at once, and no more', () => {
    const { log, spend } = startBudget(100);
    expect(spend(ADA, 5_000)).toBe(1_000);
    expect(log).toEqual([]);
  });

  it('says what was left out with the next line, a second later, and goes on', () => {
    const { log, spend, after } = startBudget(100);
    spend(ADA, 1_200);
    after(999);
    expect(spend(ADA, 1)).toBe(0);
    after(1);
    expect(spend(ADA, 150)).toBe(100);
    expect(log).toEqual(['201 of Ada omitted']);
    after(1_000);
    spend(ADA, 1);
    expect(log).toEqual(['201 of Ada omitted', '50 of Ada omitted']);
  });

  it('leaves out nothing of a client that stays within its rate, however long', () => {
    const { log, spend, after } = startBudget(100);
    spend(ADA, 1_000);
    for (let second = 0; second < 1_000; second++) {
      after(1_000);
      expect(spend(ADA, 100)).toBe(100);
    }
    expect(log).toEqual([]);
  });

  it('gives a client that is quiet its ten seconds back, and no more than these', () => {
    const { spend, after } = startBudget(100);
    spend(ADA, 1_000);
    after(3_500);
    expect(spend(ADA, 5_000)).toBe(350);
    after(86_400_000);
    expect(spend(ADA, 5_000)).toBe(1_000);
  });

  it('is each client’s own', () => {
    const { log, spend, after } = startBudget(100);
    spend(ADA, 5_000);
    expect(spend(BOB, 1_000)).toBe(1_000);
    after(1_000);
    expect(spend(BOB, 100)).toBe(100);
    expect(log).toEqual([]);
  });

  it('counts a long line as the several lines it could be', () => {
    const { spend } = startBudget(100);
    expect(spend(ADA, 5_000, 128)).toBe(1_000);
    expect(spend(BOB, 5_000, 1_100)).toBe(112);
  });

  it('says at the end what was left out last', () => {
    const { budget, log, spend } = startBudget(100);
    spend(ADA, 1_007);
    budget.close(ADA);
    expect(log).toEqual(['7 of Ada omitted']);
    budget.close(ADA);
    expect(log).toHaveLength(1);
  });

  it('says nothing at the end of a client of which nothing was left out', () => {
    const { budget, log, spend } = startBudget(100);
    spend(ADA, 1_000);
    budget.close(ADA);
    budget.close(BOB);
    expect(log).toEqual([]);
  });

  it('says it once a second at most, of a client that never stops', () => {
    const { log, spend, after } = startBudget(100);
    for (let time = 0; time < 60_000; time += 100) {
      spend(ADA, 500);
      after(100);
    }
    expect(log.length).toBeGreaterThan(50);
    expect(log.length).toBeLessThan(60);
  });

  it('has a clock of its own, which does not go back with the time of day', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const written: number[] = [];
    const budget = new LineBudget(1, () => undefined);
    const spend = (): void => {
      for (let line = 0; line < 30; line++) budget.spend(ADA, () => written.push(line));
    };
    spend();
    expect(written).toHaveLength(10);
    vi.advanceTimersByTime(2_000);
    vi.setSystemTime(0);
    spend();
    expect(written).toHaveLength(12);
  });
});
