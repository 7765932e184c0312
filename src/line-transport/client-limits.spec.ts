import { describe, expect, it } from 'vitest';
import { ClientLimits, type ClientState, type LimitReason } from './client-limits.js';

const LIMITS = { idleTimeoutMs: 100, lineTimeoutMs: 50, writeTimeoutMs: 80 };

/** A client that is silent between two lines, has read everything, and may send. */
const QUIET: ClientState = {
  isActive: false,
  isClientsTurn: true,
  isMidLine: false,
  hasEndedLine: false,
  isRead: true,
  waiting: 0,
  taken: 0,
};

/** What is found at each time, in milliseconds, at which a client is looked at. */
function seen(
  ...looks: [now: number, client?: Partial<ClientState>][]
): (LimitReason | undefined)[] {
  const limits = new ClientLimits(0);
  return looks.map(([now, client]) => limits.exceeded(now, LIMITS, { ...QUIET, ...client }));
}

/** The time at which a client is first told to go that is always the same; `undefined` if it never is. */
function firstEnd(client: Partial<ClientState>, limits = LIMITS): string | undefined {
  const watch = new ClientLimits(0);
  for (let now = 0; now <= 1_000; now += 10) {
    const reason = watch.exceeded(now, limits, { ...QUIET, ...client });
    if (reason !== undefined) return `${reason} at ${now}`;
  }
  return undefined;
}

describe('The limits of a client', () => {
  it('end who says nothing, counted from the last sign of life', () => {
    expect(firstEnd({})).toBe('idle at 100');
    expect(seen([50, { isActive: true }], [149.5], [150])).toEqual([undefined, undefined, 'idle']);
  });

  it('do not end who waits for an answer', () => {
    expect(firstEnd({ isClientsTurn: false })).toBeUndefined();
  });

  it('end whose line takes too long, whatever it sends', () => {
    expect(firstEnd({ isMidLine: true, isActive: true })).toBe('lineTimeout at 50');
  });

  it('do not count the time in which it is not read, nor that of another line', () => {
    expect(firstEnd({ isMidLine: true, isActive: true, isRead: false })).toBeUndefined();
    expect(firstEnd({ isMidLine: true, isActive: true, hasEndedLine: true })).toBeUndefined();
    const mid = { isMidLine: true, isActive: true };
    const unread = { ...mid, isRead: false };
    expect(seen([0, mid], [30, mid], [60, unread], [79, mid], [80, mid])).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
      'lineTimeout',
    ]);
  });

  it('end who takes nothing of what it is told, and nobody who takes a little', () => {
    const unread = { isClientsTurn: false, waiting: 10 };
    expect(firstEnd(unread)).toBe('writeTimeout at 80');
    const alittle = [0, 1, 2, 3].map((taken): [number, Partial<ClientState>] => [
      taken * 79,
      { ...unread, taken },
    ]);
    expect(seen(...alittle)).toEqual([undefined, undefined, undefined, undefined]);
  });

  it('are none where they are 0', () => {
    const none = { idleTimeoutMs: 0, lineTimeoutMs: 0, writeTimeoutMs: 0 };
    expect(firstEnd({ isMidLine: true, waiting: 10 }, none)).toBeUndefined();
  });
});
