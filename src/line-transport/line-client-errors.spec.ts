import { describe, expect, it } from 'vitest';
import { connectError } from './line-client-errors.js';
import { resolveLineClientOptions } from './line-client-options.js';

const OPTIONS = resolveLineClientOptions({ host: 'time.example', port: 7 });

/** What Node fails with when every address of a name does. */
function everyAddress(code: string): NodeJS.ErrnoException {
  return Object.assign(new AggregateError([]), { code });
}

describe('That a client cannot connect', () => {
  it.each([
    [everyAddress('ECONNREFUSED'), 'nothing listens there (ECONNREFUSED)'],
    [everyAddress('EHOSTUNREACH'), 'every address of the host fails (EHOSTUNREACH)'],
    [new Error('the cable is cut'), 'the cable is cut'],
    [undefined, 'the connection ended at once'],
  ])('is never said without a reason: %s', (cause, fault) => {
    expect(connectError(OPTIONS, cause)).toMatchObject({
      code: 'ERR_LINE_CONNECT',
      message: `Cannot connect to port 7 of time.example: ${fault}.`,
      cause,
    });
  });
});
