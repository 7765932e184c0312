import { PassThrough } from 'node:stream';
import { Logger } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { createLog, type LogOptions } from './log.js';
import { LogOutput } from './log-output.js';
import { NestLog } from './nest-log.js';

const NEVER = (): string => '';

/** A NestLog and the messages it has written since it was last asked. */
function startNestLog(options: Partial<LogOptions> = {}): {
  nestLog: NestLog;
  written: () => string;
} {
  const stream = new PassThrough({ encoding: 'utf8' });
  const log = createLog(
    { level: 'trace', format: 'text', ...options },
    new LogOutput(stream, NEVER),
  );
  return {
    nestLog: new NestLog(log),
    written: () => String(stream.read() ?? '').replace(/^\S+ \S+ - \[SERVER\] - /gm, ''),
  };
}

describe('NestLog', () => {
  it('writes a line of Nest with its context in front', () => {
    const { nestLog, written } = startNestLog();
    nestLog.log('Nest application successfully started', 'NestApplication');
    expect(written()).toBe('[NestApplication] Nest application successfully started\n');
  });

  it('writes a line without a context as it is', () => {
    const { nestLog, written } = startNestLog();
    nestLog.log('ready');
    expect(written()).toBe('ready\n');
  });

  it('writes every part of a message on one line', () => {
    const { nestLog, written } = startNestLog();
    nestLog.log('a', { b: 1, c: { d: [2] } }, 3, null, 'Context');
    expect(written()).toBe('[Context] a { b: 1, c: { d: [ 2 ] } } 3 null\n');
  });

  it("keeps each of Nest's levels", () => {
    const { nestLog, written } = startNestLog({ format: 'json' });
    nestLog.verbose('x');
    nestLog.debug('x');
    nestLog.log('x');
    nestLog.warn('x');
    nestLog.error('x');
    nestLog.fatal('x');
    const levels = Array.from(written().matchAll(/"level":"(\w+)"/g), ([, level]) => level);
    expect(levels).toEqual(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);
  });

  it('writes only from the level of the log on', () => {
    const { nestLog, written } = startNestLog({ level: 'warn' });
    nestLog.verbose('no');
    nestLog.debug('no');
    nestLog.log('no');
    nestLog.warn('yes');
    expect(written()).toBe('yes\n');
  });

  it('gives JSON lines the event nest and the context as a field', () => {
    const { nestLog, written } = startNestLog({ format: 'json' });
    nestLog.warn('careful', 'Guard');
    expect(JSON.parse(written())).toEqual({
      level: 'warn',
      time: expect.any(String),
      event: 'nest',
      context: 'Guard',
      msg: '[Guard] careful',
    });
  });

  it('writes an error with its stack, on one line', () => {
    const { nestLog, written } = startNestLog();
    nestLog.error(new Error('boom'), undefined, 'RpcExceptionsHandler');
    expect(written()).toMatch(/^\[RpcExceptionsHandler\] Error: boom \| at [^\n]+\n$/);
  });

  it('writes a message with the stack that comes with it, on one line', () => {
    const { nestLog, written } = startNestLog();
    nestLog.error('failed', 'Error: boom\n    at a.js:1:2', 'Handler');
    nestLog.error('failed', 'Error: boom\n    at a.js:1:2');
    expect(written()).toBe(
      '[Handler] failed Error: boom | at a.js:1:2\nfailed Error: boom | at a.js:1:2\n',
    );
  });

  it('says nothing in the place of a stack that was not given', () => {
    const { nestLog, written } = startNestLog();
    nestLog.error('failed', undefined, 'Handler');
    expect(written()).toBe('[Handler] failed\n');
  });

  it('lets neither a message nor a context break a line', () => {
    const { nestLog, written } = startNestLog();
    nestLog.warn('a\nforged \u001B[2J', 'b\u001B[0m\rc');
    nestLog.warn('a', 'b\nforged');
    expect(written()).toBe('[b\\x1b[0m\\rc] a | forged \\x1b[2J\na b | forged\n');
  });

  it('spells out control characters in the fields of JSON lines, too', () => {
    const { nestLog, written } = startNestLog({ format: 'json' });
    nestLog.warn('a\u009B31m', 'b\u202E\u2028\u007F');
    expect(written()).toMatch(/^[ -~]+\n$/);
  });

  it('takes what every Logger of the application says', () => {
    const { nestLog, written } = startNestLog();
    Logger.overrideLogger(nestLog);
    try {
      new Logger('Clock').warn('late');
      new Logger('Clock').error('wrong');
      new Logger('Clock').error('wrong', 'Error: boom\n    at a.js:1:2');
    } finally {
      Logger.overrideLogger(['log', 'error', 'warn', 'debug', 'verbose', 'fatal']);
    }
    expect(written()).toBe(
      '[Clock] late\n[Clock] wrong\n[Clock] wrong Error: boom | at a.js:1:2\n',
    );
  });
});
