import { performance } from 'node:perf_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isTurnOver, waitForTurn } from './loop-turn.js';

const MUCH = 10_000;
const LITTLE = 100;

/** The clock stands still but when something computes: the machine may be busy with something else. */
let now = 0;
beforeEach(async () => {
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  await nextTurn();
  await nextTurn();
});
afterEach(() => vi.restoreAllMocks());

/** Longer than any turn or slice may take. */
function compute(): void {
  now += 10;
}

/** Uses up the present turn of the event loop. */
function useUp(): void {
  isTurnOver(0, MUCH); // is asked before the first line
  compute();
}

describe('A turn of the event loop', () => {
  it('is not over for the first who comes', () => {
    expect(isTurnOver(0, MUCH)).toBe(false);
  });

  it('is over for who comes late and has much to be served', () => {
    useUp();
    expect(isTurnOver(0, MUCH)).toBe(true);
  });

  it('is not over for who has little to be served', () => {
    useUp();
    expect(isTurnOver(0, LITTLE)).toBe(false);
  });

  it('is followed by another', async () => {
    useUp();
    await nextTurn();
    expect(isTurnOver(0, MUCH)).toBe(false);
  });

  it('is not over in the middle of a slice of quick lines', () => {
    useUp();
    const asked = Array.from({ length: 256 }, (_, index) => isTurnOver(index + 1, MUCH));
    expect(asked.indexOf(true)).toBe(255);
  });

  it('is over after a few lines that compute for long', () => {
    expect(isTurnOver(1, MUCH)).toBe(false);
    compute();
    expect(isTurnOver(4, MUCH)).toBe(true);
  });

  it('is not over for who has nothing more to be served', () => {
    useUp();
    expect(isTurnOver(256, 0)).toBe(false);
  });
});

describe('Those who wait for their turn', () => {
  it('have it later, in the order in which they came', async () => {
    const turns: string[] = [];
    const all = new Promise<void>((resolve) => {
      waitForTurn(() => turns.push('first'));
      waitForTurn(() => {
        turns.push('second');
        resolve();
      });
    });
    expect(turns).toEqual([]);
    await all;
    expect(turns).toEqual(['first', 'second']);
  });

  it('have it behind those who have waited longer, however long each takes', async () => {
    const turns: string[] = [];
    await new Promise<void>((resolve) => {
      function take(name: string, left: number): void {
        turns.push(name);
        compute();
        if (left > 0) waitForTurn(() => take(name, left - 1));
        else if (turns.length === 6) resolve();
      }
      for (const name of ['a', 'b', 'c']) waitForTurn(() => take(name, 1));
    });
    expect(turns).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  });

  it('have it one by one although others use up every turn before them', async () => {
    const turns: string[] = [];
    function useUpTurns(left: number): void {
      setImmediate(() => {
        useUp();
        turns.push('others');
        if (left > 1) useUpTurns(left - 1);
      });
    }
    useUpTurns(4);
    for (const name of ['first', 'second', 'third']) waitForTurn(() => turns.push(name));
    await vi.waitUntil(() => turns.length === 7);
    expect(turns).toEqual(['others', 'first', 'others', 'second', 'others', 'third', 'others']);
  });

  it('have it in turns of their own when each takes long, with the input of others between them', async () => {
    const happened: string[] = [];
    await new Promise<void>((resolve) => {
      waitForTurn(() => {
        happened.push('one');
        compute();
        setImmediate(() => happened.push('another loop'));
      });
      waitForTurn(() => {
        happened.push('two');
        resolve();
      });
    });
    expect(happened).toEqual(['one', 'another loop', 'two']);
  });
});
