import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LineJournal } from './line-journal.js';

describe('A failure of the listening socket', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is told once a minute, and each kind of it by itself', () => {
    const journal = new LineJournal();
    const told: unknown[] = [];
    journal.on('error', (error) => told.push((error as NodeJS.ErrnoException).code));
    const fail = (code: string): void =>
      journal.failListening(Object.assign(new Error(), { code }));
    fail('EMFILE');
    fail('EMFILE');
    fail('ENFILE');
    vi.advanceTimersByTime(59_999);
    fail('EMFILE');
    expect(told).toEqual(['EMFILE', 'ENFILE']);
    vi.advanceTimersByTime(1);
    fail('EMFILE');
    expect(told).toEqual(['EMFILE', 'ENFILE', 'EMFILE']);
  });
});
