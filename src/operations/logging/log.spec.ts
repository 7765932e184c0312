import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { createLog, type Log, type LogOptions, textLine } from './log.js';
import { LogOutput } from './log-output.js';

/** A log and what it has written. */
function startLog(options: LogOptions): { log: Log; written: () => string } {
  const stream = new PassThrough({ encoding: 'utf8' });
  const log = createLog(options, new LogOutput(stream, (count) => `${count} dropped\n`));
  return { log, written: () => String(stream.read() ?? '') };
}

function at(...parts: [number, number, number, number, number, number, number]): number {
  return new Date(...parts).getTime();
}

describe('a line of the text format', () => {
  it('is date, time, comma, milliseconds, [SERVER] and the message', () => {
    expect(textLine('Server berhenti.', at(2026, 10, 22, 6, 14, 20, 123))).toBe(
      '2026-11-22 06:14:20,123 - [SERVER] - Server berhenti.\n',
    );
  });

  it('pads every number with zeros', () => {
    expect(textLine('x', at(2026, 0, 2, 3, 4, 5, 6))).toBe(
      '2026-01-02 03:04:05,006 - [SERVER] - x\n',
    );
    expect(textLine('x', at(2026, 0, 2, 0, 0, 0, 0))).toBe(
      '2026-01-02 00:00:00,000 - [SERVER] - x\n',
    );
  });

  it.each([
    ['a second', at(2026, 10, 22, 6, 14, 20, 999), '06:14:20,999', '2026-11-22 06:14:21,000'],
    ['a minute', at(2026, 10, 22, 6, 14, 59, 999), '06:14:59,999', '2026-11-22 06:15:00,000'],
    ['midnight', at(2026, 10, 22, 23, 59, 59, 999), '23:59:59,999', '2026-11-23 00:00:00,000'],
    ['a year', at(2026, 11, 31, 23, 59, 59, 999), '23:59:59,999', '2027-01-01 00:00:00,000'],
    ['a leap day', at(2028, 1, 28, 23, 59, 59, 999), '23:59:59,999', '2028-02-29 00:00:00,000'],
  ])('is right on both sides of %s', (_what, before, timeBefore, after) => {
    expect(textLine('x', before)).toContain(` ${timeBefore} - `);
    expect(textLine('x', before + 1)).toBe(`${after} - [SERVER] - x\n`);
    expect(textLine('x', before)).toContain(` ${timeBefore} - `);
  });

  it('changes with every millisecond of a second', () => {
    const second = at(2026, 10, 22, 6, 14, 20, 0);
    for (let ms = 0; ms < 1_000; ms++) {
      expect(textLine('x', second + ms)).toBe(
        `2026-11-22 06:14:20,${String(ms).padStart(3, '0')} - [SERVER] - x\n`,
      );
    }
  });

  it('follows a clock that is set back', () => {
    textLine('x', at(2026, 10, 22, 6, 14, 20, 0));
    expect(textLine('x', at(2026, 10, 22, 5, 14, 20, 7))).toContain('2026-11-22 05:14:20,007');
  });
});

describe('the log as text', () => {
  it('writes the message of an event and nothing of its fields', () => {
    vi.useFakeTimers({ now: at(2026, 10, 22, 6, 14, 20, 123), toFake: ['Date'] });
    const { log, written } = startLog({ level: 'info', format: 'text' });
    log.info({ event: 'quit', remotePort: 1 }, 'Klien keluar.');
    log.error({ event: 'connectionReset' }, 'Terputus.');
    vi.useRealTimers();
    expect(written()).toBe(
      '2026-11-22 06:14:20,123 - [SERVER] - Klien keluar.\n' +
        '2026-11-22 06:14:20,123 - [SERVER] - Terputus.\n',
    );
  });

  it('takes % in a message for a percent sign', () => {
    const { log, written } = startLog({ level: 'info', format: 'text' });
    log.info({ event: 'x' }, "Menerima pesan: '100% %s %d %j %o'");
    expect(written()).toMatch(/ - Menerima pesan: '100% %s %d %j %o'\n$/);
  });

  it('writes the events from its level on and no others', () => {
    const { log, written } = startLog({ level: 'warn', format: 'text' });
    log.debug({ event: 'x' }, 'debugging');
    log.info({ event: 'x' }, 'informed');
    log.warn({ event: 'x' }, 'warned');
    log.error({ event: 'x' }, 'failed');
    expect(written()).toMatch(/^\S+ \S+ - \[SERVER\] - warned\n\S+ \S+ - \[SERVER\] - failed\n$/);
  });

  it('writes nothing when it is silent', () => {
    const { log, written } = startLog({ level: 'silent', format: 'text' });
    log.fatal({ event: 'x' }, 'died');
    expect(written()).toBe('');
  });
});

describe('the log as JSON', () => {
  it('writes one object a line: level, time, event, its fields, and the message', () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 10, 22, 6, 14, 20, 123), toFake: ['Date'] });
    const { log, written } = startLog({ level: 'info', format: 'json' });
    log.warn({ event: 'unknownCommand', remotePort: 40036, connectionId: 7 }, 'Tidak\nvalid.');
    vi.useRealTimers();
    expect(written()).toBe(
      '{"level":"warn","time":"2026-11-22T06:14:20.123Z","event":"unknownCommand",' +
        '"remotePort":40036,"connectionId":7,"msg":"Tidak\\nvalid."}\n',
    );
  });

  it('leaves out a field that has no value', () => {
    const { log, written } = startLog({ level: 'info', format: 'json' });
    log.info({ event: 'x', remoteAddress: undefined }, 'x');
    expect(JSON.parse(written())).toEqual({
      level: 'info',
      time: expect.any(String),
      event: 'x',
      msg: 'x',
    });
  });
});
