import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClockService } from './clock.service.js';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function at(instant: string): void {
  vi.setSystemTime(new Date(instant));
}

describe('The clock', () => {
  it.each([
    ['UTC', '06:14:20'],
    ['Asia/Jakarta', '13:14:20'],
    ['Asia/Kathmandu', '11:59:20'],
    ['America/New_York', '01:14:20'],
    ['Pacific/Kiritimati', '20:14:20'],
  ])('tells the time of day in %s', (zone, timeOfDay) => {
    at('2026-11-22T06:14:20.999Z');
    expect(new ClockService(zone).timeOfDay()).toBe(timeOfDay);
  });

  it('tells the process zone without one', () => {
    at('2026-11-22T06:14:20Z');
    const local = new Date();
    const expected = [local.getHours(), local.getMinutes(), local.getSeconds()]
      .map((part) => String(part).padStart(2, '0'))
      .join(':');
    expect(new ClockService().timeOfDay()).toBe(expected);
  });

  it('goes from 23:59:59 to 00:00:00, and never says 24', () => {
    const clock = new ClockService('UTC');
    at('2026-11-22T23:59:59.999Z');
    expect(clock.timeOfDay()).toBe('23:59:59');
    at('2026-11-23T00:00:00.000Z');
    expect(clock.timeOfDay()).toBe('00:00:00');
  });

  it('changes with the second, not before and not after', () => {
    const clock = new ClockService('UTC');
    at('2026-11-22T06:14:20.000Z');
    expect(clock.timeOfDay()).toBe('06:14:20');
    at('2026-11-22T06:14:20.999Z');
    expect(clock.timeOfDay()).toBe('06:14:20');
    at('2026-11-22T06:14:21.000Z');
    expect(clock.timeOfDay()).toBe('06:14:21');
  });

  it('follows a change of offset, forward and back', () => {
    const clock = new ClockService('Europe/Berlin');
    at('2026-03-29T00:59:59Z');
    expect(clock.timeOfDay()).toBe('01:59:59');
    at('2026-03-29T01:00:00Z');
    expect(clock.timeOfDay()).toBe('03:00:00');
    at('2026-10-25T00:59:59Z');
    expect(clock.timeOfDay()).toBe('02:59:59');
    at('2026-10-25T01:00:00Z');
    expect(clock.timeOfDay()).toBe('02:00:00');
  });

  it('follows a system clock that is set back or forward', () => {
    const clock = new ClockService('UTC');
    at('2026-11-22T06:14:20Z');
    clock.timeOfDay();
    at('2026-11-22T05:00:00Z');
    expect(clock.timeOfDay()).toBe('05:00:00');
    at('2030-01-01T12:00:00Z');
    expect(clock.timeOfDay()).toBe('12:00:00');
  });

  it('refuses a zone that does not exist', () => {
    expect(() => new ClockService('Mars/Olympus')).toThrow(RangeError);
  });
});
