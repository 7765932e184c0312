import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { readSettings } from '../config/settings.js';
import { createLog } from '../logging/log.js';
import type { ClockReport, ClockSource } from './clock-report.js';
import { ClockSync } from './clock-sync.js';

const YES: ClockReport = { state: 'synchronized', source: 'chrony', offsetSeconds: 0.001 };
const NO: ClockReport = { state: 'unsynchronized', source: 'kernel' };

/** A source that gives these answers one after the other, then the last one for ever, and what came of it. */
function ask(...sources: ClockSource[]): { clock: ClockSync; log: string[] } {
  const log: string[] = [];
  const output = createLog(
    { level: 'info', format: 'json' },
    { write: (line) => log.push((JSON.parse(line) as { event: string }).event) },
  );
  const clock = new ClockSync(output, readSettings({}), sources);
  clock.onApplicationBootstrap();
  onTestFinished(() => clock.onModuleDestroy());
  return { clock, log };
}

function answers(...reports: (ClockReport | undefined)[]): ReturnType<typeof vi.fn<ClockSource>> {
  const source = vi.fn<ClockSource>();
  for (const report of reports.slice(0, -1)) source.mockResolvedValueOnce(report);
  return source.mockResolvedValue(reports.at(-1));
}

describe('ClockSync', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    onTestFinished(() => {
      vi.useRealTimers();
    });
  });

  it('reports what the first source says that has a say', async () => {
    const last = answers(NO);
    const { clock } = ask(answers(undefined), answers(YES), last);
    expect(await clock.report()).toEqual(YES);
    expect(last).not.toHaveBeenCalled();
  });

  it('does not know where none has', async () => {
    const { clock, log } = ask(answers(undefined), answers(undefined));
    expect(await clock.report()).toEqual({ state: 'unknown' });
    expect(log).toEqual(['clockUnknown']);
  });

  it('asks once in thirty seconds, however often it is asked itself', async () => {
    const source = answers(YES);
    const { clock } = ask(source);
    for (let count = 0; count < 100; count++) await clock.report();
    await vi.advanceTimersByTimeAsync(29_999);
    expect(source).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(source).toHaveBeenCalledTimes(2);
  });

  it('logs the state at the start, and then only when it changes', async () => {
    const { clock, log } = ask(answers(YES, YES, NO, NO, undefined, YES));
    for (let count = 0; count < 7; count++) await vi.advanceTimersByTimeAsync(30_000);
    expect(await clock.report()).toEqual(YES);
    expect(log).toEqual([
      'clockSynchronized',
      'clockUnsynchronized',
      'clockUnknown',
      'clockSynchronized',
    ]);
  });

  it('answers with what it knew while it asks anew', async () => {
    const { clock } = ask(
      vi
        .fn<ClockSource>()
        .mockResolvedValueOnce(YES)
        .mockReturnValue(new Promise(() => undefined)),
    );
    await clock.report();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await clock.report()).toEqual(YES);
  });

  it('asks no more when the service ends', async () => {
    const source = answers(YES);
    const { clock } = ask(source);
    clock.onModuleDestroy();
    await vi.advanceTimersByTimeAsync(90_000);
    expect(source).toHaveBeenCalledTimes(1);
  });
});
