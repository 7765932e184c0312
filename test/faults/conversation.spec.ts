/** A conversation is what the protocol says whatever the network does, however little the client reads, and whenever it goes. */
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type {
  EndReason,
  LineConnection,
  LineServer,
  LineServerOptions,
} from '../../src/line-transport/index.js';
import { startLineApplication } from '../support/line-application.js';
import { STEPS, TIME_MS } from './amount.js';
import { FaultController } from './commands.js';
import { COMMAND_NAMES, MAX_LINE_BYTES } from './model.js';
import { type Action, type Circumstances, LIMITS, Trial } from './trial.js';
import { SAID } from './words.js';

/** Sequences between two looks at how many steps there were. */
const RUNS = 100;

const PLAIN = { greeting: undefined, maxProtocolErrors: 0, lineGraceMs: 0 } as const;
const STRICT = { greeting: 'HELLO', maxProtocolErrors: 3, lineGraceMs: 100 } as const;

const RESETS = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'];
const WRITE_FAILURES = ['EPIPE', 'ECONNRESET', 'ENOBUFS'];

const line = fc
  .tuple(fc.constantFrom(...COMMAND_NAMES), fc.constantFrom('\n', '\n', '\r\n', ' \t\r\n'))
  .map((parts) => parts.join(''));
const ordinary = fc.constantFrom('PING\n', 'LATER\r\n', 'HELD\n', 'LIST\n', 'DRIP\n', 'EMIT\n');
const fragment = fc.constantFrom(
  '\n',
  '\n\n',
  '\r\n',
  '\r',
  ' ',
  'PI',
  'NG',
  'PING',
  'QUIT',
  'ping\n',
  'nope\r\n',
  'x'.repeat(MAX_LINE_BYTES),
  'y'.repeat(MAX_LINE_BYTES + 1),
  'z'.repeat(40),
  '\xff\xfd\x06',
  '\xff\xf1',
  'PING\n'.repeat(400),
);
const text = fc
  .array(
    fc.oneof(
      { weight: 5, arbitrary: ordinary },
      { weight: 4, arbitrary: line },
      { weight: 3, arbitrary: fragment },
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''));

const send = fc.record({
  does: fc.constant('send' as const),
  text,
  size: fc.constantFrom(1, 2, 7, 10_000, 10_000),
  isSlow: fc.boolean(),
});
const plain = fc.record({
  does: fc.constantFrom('rest', 'turn', 'turn', 'read all', 'read all', 'push'),
});
const counted = fc.oneof(
  fc.record({ does: fc.constant('give' as const), count: fc.integer({ min: 1, max: 3 }) }),
  fc.record({ does: fc.constant('read' as const), count: fc.nat({ max: 4_000 }) }),
);
const late: fc.Arbitrary<Action> = fc.oneof(
  fc.record({ does: fc.constantFrom('fin', 'close server', 'pass time', 'pass time', 'vanish') }),
  fc.record({ does: fc.constant('reset' as const), code: fc.constantFrom(...RESETS) }),
  fc.record({ does: fc.constant('fail fin' as const), code: fc.constantFrom(...WRITE_FAILURES) }),
  fc.record({
    does: fc.constant('fail write' as const),
    after: fc.nat({ max: 200 }),
    code: fc.constantFrom(...WRITE_FAILURES),
  }),
);
const action: fc.Arbitrary<Action> = fc.oneof(
  { weight: 5, arbitrary: send },
  { weight: 4, arbitrary: counted },
  { weight: 4, arbitrary: plain },
  { weight: 1, arbitrary: late },
);
const actions = fc.array(action, { minLength: 1, maxLength: 40, size: 'max' });

const stream = fc.record({
  pace: fc.constantFrom('now', 'tick', 'turn'),
  highWaterMark: fc.constantFrom(1, 16, 1_024, 65_536),
  closesLate: fc.boolean(),
});
const ending = fc.constantFrom('closes too', 'stays', 'cuts');

/** A server, and why each of its conversations is over. */
async function startServer(
  options: LineServerOptions,
): Promise<{ server: LineServer; reasonsOf: (connection: LineConnection) => EndReason[] }> {
  const { server } = await startLineApplication([FaultController], {
    ...LIMITS,
    maxLineBytes: MAX_LINE_BYTES,
    maxPendingBytes: 1_024,
    words: SAID,
    ...options,
  });
  const reasons = new WeakMap<LineConnection, EndReason[]>();
  const reasonsOf = (connection: LineConnection): EndReason[] => {
    const known = reasons.get(connection) ?? [];
    reasons.set(connection, known);
    return known;
  };
  server.on('disconnection', (connection, reason) => reasonsOf(connection).push(reason));
  server.on('handlerError', () => undefined); // or they would be logged
  return { server, reasonsOf };
}

describe('With time stopped', () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => {
    unhandled.push(error);
  };

  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
    process.on('unhandledRejection', note);
  });
  afterEach(() => {
    vi.useRealTimers();
    process.off('unhandledRejection', note);
  });

  it.each([
    ['called directly', 'auto', PLAIN],
    ["called through Nest's pipeline", 'pipeline', PLAIN],
    [
      'called directly, of a server that greets, waits for no line end and allows few errors',
      'auto',
      STRICT,
    ],
    ["called through Nest's pipeline, of such a server", 'pipeline', STRICT],
  ] as const)(
    'a client is told what the protocol says up to where a fault was, and leaves nothing behind, by methods %s',
    async (_, dispatch, options) => {
      const { server, reasonsOf } = await startServer({ ...options, dispatch });
      let steps = 0;
      const holds = async (
        todo: readonly Action[],
        given: Pick<Circumstances, 'stream' | 'ending'>,
      ): Promise<void> => {
        steps += todo.length;
        const trial = new Trial(server, { ...given, ...options }, reasonsOf);
        try {
          for (const each of todo) await trial.do(each);
          await trial.finish();
        } finally {
          await trial.clear();
        }
        expect(unhandled.splice(0)).toEqual([]);
      };
      const property = fc.asyncProperty(actions, fc.record({ stream, ending }), holds);
      while (steps < STEPS / 4) await fc.assert(property, { numRuns: RUNS });
    },
    TIME_MS,
  );
});
