import { describe, expect, it } from 'vitest';
import { LINE_CLIENT_OPTION_BOUNDS, resolveLineClientOptions } from './line-client-options.js';

describe('The options of a line client', () => {
  it('all have a default, but the port', () => {
    const resolved = resolveLineClientOptions({ port: 7 });
    expect(resolved).toEqual({
      host: 'localhost',
      port: 7,
      path: undefined,
      tls: false,
      requestTimeoutMs: 5_000,
      connectTimeoutMs: 5_000,
      maxLineBytes: 65_536,
      maxPendingRequests: 10_000,
      reconnectInitialDelayMs: 100,
      reconnectMaxDelayMs: 10_000,
      keepAliveMs: 60_000,
      isLastLine: expect.any(Function),
    });
    expect(resolved.isLastLine('anything', 0, 'ASK')).toBe(true);
  });

  it.each(Object.entries({ ...LINE_CLIENT_OPTION_BOUNDS, port: { min: 1, max: 65_535 } }))(
    'take %s at its bounds and not beyond',
    (name, { min, max }) => {
      const others = { port: 7, reconnectInitialDelayMs: 1, reconnectMaxDelayMs: 3_600_000 };
      for (const right of [min, max]) {
        expect(resolveLineClientOptions({ ...others, [name]: right })).toMatchObject({
          [name]: right,
        });
      }
      for (const wrong of [min - 1, max + 1, min + 0.5, Number.NaN, '1']) {
        expect(() => resolveLineClientOptions({ ...others, [name]: wrong })).toThrow(
          `${name} must be a whole number from ${min} to ${max}, not ${wrong}`,
        );
      }
    },
  );

  it.each([
    [{ host: '' }, 'host must be a text that is not empty'],
    [{ host: 7 }, 'host must be a text that is not empty'],
    [{ tls: 'yes' }, 'tls must be true, false or the options of tls.connect'],
    [{ isLastLine: '.' }, 'isLastLine must be a function'],
    [{ reconnectInitialDelayMs: 10_001 }, 'reconnectInitialDelayMs must not be above'],
  ])('refuse %j', (wrong, fault) => {
    expect(() => resolveLineClientOptions({ port: 7, ...(wrong as object) })).toThrow(fault);
  });

  it('are refused with every fault at once', () => {
    const wrong = { host: 'a', path: '', requestTimeoutMs: -1, timeout: 5 };
    expect(() => resolveLineClientOptions(wrong)).toThrow(
      expect.objectContaining({
        code: 'ERR_LINE_OPTIONS',
        message:
          "The line client's options are wrong: requestTimeoutMs must be a whole number from 0 to 3600000, not -1; " +
          'path excludes host and port; path must be a text that is not empty; timeout is not an option.',
      }),
    );
    expect(() => resolveLineClientOptions({})).toThrow('port or path must be given');
  });
});
