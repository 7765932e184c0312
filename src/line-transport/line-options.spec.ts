import { describe, expect, it } from 'vitest';
import { Command } from './command.decorator.js';
import { ENGLISH, enumerate } from './line-errors.js';
import { LINE_OPTION_BOUNDS, resolveLineOptions } from './line-options.js';

describe('The options of a line server', () => {
  it('all have a default', () => {
    expect(resolveLineOptions({})).toEqual({
      host: undefined,
      port: 0,
      path: undefined,
      backlog: 1024,
      maxLineBytes: 1024,
      maxConnections: 10_000,
      maxConnectionsPerAddress: 9_500,
      proxyHeaderTimeoutMs: 3_000,
      maxPendingBytes: 65_536,
      maxUnreadBytes: 65_536,
      maxBufferedBytes: 268_435_456,
      maxEmittedReplies: 1_000_000,
      maxProtocolErrors: 0,
      lineGraceMs: 0,
      lineTimeoutMs: 60_000,
      writeTimeoutMs: 60_000,
      idleTimeoutMs: 600_000,
      keepAliveMs: 60_000,
      handlerTimeoutMs: 30_000,
      shutdownGraceMs: 10_000,
      dispatch: 'auto',
      ignoreCase: false,
      greeting: undefined,
      tls: undefined,
      words: ENGLISH,
    });
  });

  it.each([
    [1, 1],
    [19, 19],
    [20, 19],
    [1_000_000, 950_000],
  ])('leave an address room for 95 %% of %i connections: %i', (maxConnections, share) => {
    expect(resolveLineOptions({ maxConnections }).maxConnectionsPerAddress).toBe(share);
  });

  it.each(Object.entries(LINE_OPTION_BOUNDS))(
    'take %s at its bounds and not beyond',
    (name, { min, max }) => {
      expect(resolveLineOptions({ [name]: min })).toMatchObject({ [name]: min });
      expect(resolveLineOptions({ [name]: max })).toMatchObject({ [name]: max });
      for (const wrong of [min - 1, max + 1, min + 0.5, Number.NaN, '1']) {
        expect(() => resolveLineOptions({ [name]: wrong })).toThrow(
          `${name} must be a whole number`,
        );
      }
    },
  );

  it('are refused with every fault at once', () => {
    const wrong = {
      port: -1,
      maxLineBytes: 0,
      idleTimeout: 5,
      path: '/x',
      ignoreCase: 'yes',
      greeting: 7,
    };
    expect(() => resolveLineOptions(wrong as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_LINE_OPTIONS',
        message:
          "The line server's options are wrong: port must be a whole number from 0 to 65535, not -1; " +
          'maxLineBytes must be a whole number from 1 to 1048576, not 0; idleTimeout is not an option; ' +
          'ignoreCase must be true or false; greeting must be a string or an array of strings; ' +
          'path excludes host and port.',
      }),
    );
  });
});

describe('The words of a server', () => {
  it.each([null, 'x', 5])('cannot be %j, which is an option fault like any other', (words) => {
    expect(() => resolveLineOptions({ words: words as never, port: -1 })).toThrow(
      expect.objectContaining({
        code: 'ERR_LINE_OPTIONS',
        message: expect.stringContaining('words must be a LineWords'),
      }),
    );
  });

  it('are the default ones where a function is asynchronous', async () => {
    const rejected = (() => Promise.reject(new Error('no word'))) as never;
    const { words } = resolveLineOptions({ words: { ...ENGLISH, rejected } });
    expect(words.rejected('why')).toBe('ERROR: why');
    await Promise.resolve();
  });
});

describe('The addresses of an option', () => {
  it('are named where they are none, each of them', () => {
    const wrong = {
      allowAddresses: ['10.0.0.0/8', 'localhost'],
      denyAddresses: ['10.0.0.0/33', 7],
      proxyProtocolTrust: '10.0.0.1',
    };
    expect(() => resolveLineOptions(wrong as never)).toThrow(
      expect.objectContaining({
        code: 'ERR_LINE_OPTIONS',
        message:
          "The line server's options are wrong: " +
          'allowAddresses has "localhost", which is no address and no CIDR range; ' +
          'denyAddresses has "10.0.0.0/33", which is no address and no CIDR range; ' +
          'denyAddresses has 7, which is no address and no CIDR range; ' +
          'proxyProtocolTrust must be an array of addresses and CIDR ranges.',
      }),
    );
  });

  it('may be none only where that keeps nobody out', () => {
    expect(() => resolveLineOptions({ denyAddresses: [] })).not.toThrow();
    for (const name of ['allowAddresses', 'proxyProtocolTrust']) {
      expect(() => resolveLineOptions({ [name]: [] })).toThrow(`${name} must not be empty`);
    }
  });
});

describe('The descriptor of a socket', () => {
  it('is a whole number', () => {
    expect(resolveLineOptions({ fd: 3 })).toMatchObject({ fd: 3 });
    for (const fd of [-1, 0.5, '3']) {
      expect(() => resolveLineOptions({ fd: fd as never })).toThrow('fd must be a whole number');
    }
  });

  it.each([{ host: '127.0.0.1' }, { port: 0 }, { path: '/x' }])('excludes %j', (place) => {
    expect(() => resolveLineOptions({ fd: 3, ...place })).toThrow(
      'fd excludes host, port and path',
    );
  });
});

describe('The path of a socket', () => {
  it('is not empty', () => {
    expect(() => resolveLineOptions({ path: '' })).toThrow('path must be a path');
  });
});

describe('A command', () => {
  it.each([' TIME', 'TIME ', 'TI\nME', 'TI\rME', '\t'])(
    'cannot be %j, which no line can spell',
    (name) => {
      expect(() => Command(name)).toThrow(expect.objectContaining({ code: 'ERR_LINE_COMMAND' }));
    },
  );

  it.each(['TIME', 'time now', '1.0', '"TIME"', '', '__proto__'])('can be %j', (name) => {
    expect(() => Command(name)).not.toThrow();
  });
});

describe('The English words', () => {
  it('list the known commands as a sentence does', () => {
    expect(ENGLISH.unknownCommand(['TIME', 'DATE', 'QUIT'])).toBe(
      'UNKNOWN COMMAND. Use TIME, DATE or QUIT.',
    );
    expect(ENGLISH.unknownCommand(['TIME'])).toBe('UNKNOWN COMMAND. Use TIME.');
    expect(ENGLISH.unknownCommand([])).toBe('UNKNOWN COMMAND.');
    expect(enumerate(['TIME', 'QUIT'], 'atau')).toBe('TIME atau QUIT');
    expect(enumerate([], 'or')).toBe('');
  });
});

describe('An acceptor', () => {
  it.each([{ host: '127.0.0.1' }, { port: 0 }, { path: '/x' }, { fd: 3 }])(
    'excludes %j',
    (place) => {
      const acceptor = (): Promise<string> => Promise.resolve('elsewhere');
      expect(() => resolveLineOptions({ acceptor, ...place })).toThrow(
        'acceptor excludes host, port, path and fd',
      );
    },
  );
});

it('The dispatch of lines is one of two', () => {
  expect(() => resolveLineOptions({ dispatch: 'fast' as never })).toThrow(
    "dispatch must be 'auto' or 'pipeline'",
  );
});
