/** Clients and those who observe them cannot tell whether a method is called directly or through Nest's pipeline. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Controller } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Arg,
  Args,
  Command,
  type LineContext,
  LineError,
  type LineReply,
  type LineServer,
  type LineServerStats,
  type LineStream,
  RawLine,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { prepareLineApplication } from '../support/talk.js';
import { ANSWERS, ERRORS, FAILURES } from './outcomes.js';

/** What handlers have seen of their contexts once they had answered. */
let seenLater: string[] = [];

@Controller()
class OutcomesController {
  @Command('ANSWER', { args: 'rest' })
  answer(@Args() which: string): never {
    return ANSWERS[which]?.() as never;
  }

  @Command('ANSWER KNOWING', { args: 'rest' })
  answerKnowing(@Args() which: string, @Ctx() context: LineContext): never {
    setImmediate(() => {
      seenLater.push(`${context.line}: ${context.command}, ${context.signal.aborted}`);
    });
    return ANSWERS[which]?.() as never;
  }

  @Command('FAIL', { args: ['how', 'error'] })
  fail(@Arg('how') how: string, @Arg('error') error: string): never {
    return FAILURES[how]?.(error) as never;
  }

  @Command('WORDS', { args: 'words' })
  words(@Args() words: string[], @Arg(1) second?: string): LineReply {
    return [...words, `${words.length} ${second}`];
  }

  @Command('NAMED', { args: ['key', 'value?'] })
  named(@Args() args: Record<string, string>, @RawLine() line: string): LineReply {
    return `${line}: ${JSON.stringify(args)}`;
  }

  @Command('COUNT')
  count(@Ctx() { session }: LineContext<{ count: number }>): LineReply {
    session.count = (session.count ?? 0) + 1;
    return session.count;
  }

  @Command('PUSH', { args: 'rest' })
  push(@Args() text: string, @Ctx() { connection }: LineContext): LineReply {
    return ['pushed', String(connection.push(['before', text]))];
  }

  @Command('PUSH MEANWHILE')
  async *pushMeanwhile(@Ctx() { connection }: LineContext): LineStream {
    connection.push('before');
    yield 'one';
    connection.push('meanwhile');
    await nextTurn();
    yield ['two', 'three'];
    connection.push('last');
  }

  @Command('END', { args: 'rest' })
  end(@Args() which: string, @Ctx() { connection }: LineContext): never {
    connection.end('quit', 'the end');
    return ANSWERS[which]?.() as never;
  }

  @Command('CUT', { args: 'rest' })
  cut(@Args() which: string, @Ctx() { connection }: LineContext): never {
    connection.destroy('reset');
    return ANSWERS[which]?.() as never;
  }

  @Command('CUT AND WAIT')
  async cutAndWait(@Ctx() { connection, signal }: LineContext): Promise<void> {
    connection.destroy('reset');
    for (let turns = 0; turns < 3; turns++) await nextTurn();
    seenLater.push(`aborted: ${signal.aborted}`);
  }
}

const oneOf = (names: Readonly<Record<string, unknown>>): fc.Arbitrary<string> =>
  fc.constantFrom(...Object.keys(names));

const odd = fc.string({
  unit: fc.constantFrom('a', ' ', '"', '\\', 'n', 'é', '\t', '\0', '\u2028'),
});

const line = fc
  .oneof(
    { weight: 6, arbitrary: oneOf(ANSWERS).map((which) => `ANSWER ${which}`) },
    { weight: 3, arbitrary: oneOf(ANSWERS).map((which) => `ANSWER KNOWING ${which}`) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(oneOf(FAILURES), oneOf(ERRORS))
        .map(([how, error]) => `FAIL "${how}" "${error}"`),
    },
    {
      weight: 3,
      arbitrary: fc
        .tuple(fc.constantFrom('WORDS', 'NAMED', 'PUSH', ''), odd)
        .map((parts) => parts.join(' ')),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom('COUNT', 'PUSH MEANWHILE', 'PUSH it', 'COUNT 1', '', ' '),
    },
    { weight: 1, arbitrary: fc.constantFrom('END', 'time', 'x'.repeat(300)) },
  )
  .map((text) => Buffer.from(text));

const noise = fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes));

/** What a client sends, in chunks that are cut anywhere; before some of them the server is given time. */
const input = fc
  .tuple(
    fc.array(
      fc.tuple(
        fc.oneof({ weight: 12, arbitrary: line }, { weight: 1, arbitrary: noise }),
        fc.constantFrom('\n', '\r\n', ' \r\n'),
      ),
      { minLength: 1, maxLength: 12 },
    ),
    fc.array(fc.tuple(fc.nat(60), fc.boolean()), { maxLength: 8 }),
  )
  .map(([lines, cuts]) => {
    let rest = Buffer.concat(lines.flatMap(([text, end]) => [text, Buffer.from(end)]));
    const chunks: { readonly bytes: Buffer; readonly isLater: boolean }[] = [];
    for (const [length, isLater] of cuts) {
      chunks.push({ bytes: rest.subarray(0, length), isLater });
      rest = rest.subarray(length);
    }
    return [...chunks, { bytes: rest, isLater: false }].filter(({ bytes }) => bytes.length > 0);
  });

type Input = typeof input extends fc.Arbitrary<infer Chunks> ? Chunks : never;

interface Account {
  readonly said: readonly string[];
  readonly events: readonly string[];
  readonly seenLater: readonly string[];
  /** But for what was received: how much a client can still send behind the end is a matter of moments. */
  readonly stats: Omit<LineServerStats, 'bytes'> & { readonly sent: number };
}

/** A server, and all that is known of the conversations with it. */
class Observed {
  #events: string[] = [];
  #onEnd: () => void = () => undefined;

  constructor(private readonly server: LineServer) {
    const note = (event: string, ...facts: unknown[]): void => {
      this.#events.push([event, ...facts.map(described)].join(' | '));
    };
    server.on('request', ({ id }, text) => note('request', id, text));
    server.on('reply', ({ id }, text) => note('reply', id, text));
    server.on('protocolError', ({ id }, error) => note('protocolError', id, error));
    server.on('rejected', ({ id }, text, error) => note('rejected', id, text, error));
    server.on('handlerError', ({ id }, text, error) => note('handlerError', id, text, error));
    server.on('disconnection', ({ id }, reason, error) => {
      note('disconnection', id, reason, error);
      this.#onEnd();
    });
  }

  async hear(chunks: Input): Promise<Account> {
    this.#events = [];
    seenLater = [];
    const ended = new Promise<void>((resolve) => {
      this.#onEnd = resolve;
    });
    const client = new LineConversation(this.server);
    for (const { bytes, isLater } of chunks) {
      if (isLater) await nextTurn();
      if (!canSend(client, bytes)) break;
    }
    const said = await client.end().rest();
    await ended;
    for (let turns = 0; turns < 5; turns++) await nextTurn();
    const { bytes, ...counted } = this.server.stats();
    const stats = { ...counted, sent: bytes.sent };
    return { said, events: this.#events, seenLater, stats };
  }
}

function canSend(client: LineConversation, bytes: Buffer): boolean {
  try {
    client.write(bytes);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_LINE_CLOSED' } satisfies Partial<LineError>);
    return false; // it was ended by what was sent before
  }
}

function described(fact: unknown): string {
  try {
    // Which question to a Proxy failed first is nobody's promise.
    const proxied = /'\w+' on a proxy/;
    if (fact instanceof Error) {
      return `${fact.constructor.name}: ${fact.message.replace(proxied, 'on a proxy')}`;
    }
    return typeof fact === 'object' && fact !== null ? JSON.stringify(fact) : String(fact);
  } catch {
    return `what cannot be described, a ${typeof fact}`;
  }
}

describe('Called directly or through the pipeline', () => {
  let direct: Observed;
  let pipeline: Observed;

  async function observed(dispatch: 'auto' | 'pipeline', way: string): Promise<Observed> {
    const options = { dispatch, maxLineBytes: 200 } as const;
    const server = await prepareLineApplication([OutcomesController], [], undefined, options);
    expect(new Set(server.commands.map((command) => command.dispatch))).toEqual(new Set([way]));
    return new Observed(server);
  }

  async function start(): Promise<void> {
    direct = await observed('auto', 'direct');
    pipeline = await observed('pipeline', 'pipeline');
  }

  async function expectAlike(chunks: Input): Promise<void> {
    const account = await direct.hear(chunks);
    expect(account).toEqual(await pipeline.hear(chunks));
  }

  it('methods answer any lines alike, in any chunks, and so are the events and the counts', async () => {
    await start();
    await fc.assert(fc.asyncProperty(input, expectAlike), {
      numRuns: Number(process.env['RUNS'] ?? 300),
    });
  });

  it('every answer is told alike, between others', async () => {
    await start();
    for (const which of Object.keys(ANSWERS)) {
      for (const command of ['ANSWER', 'ANSWER KNOWING']) {
        const bytes = Buffer.from(`COUNT\n${command} ${which}\nCOUNT\n`);
        await expectAlike([{ bytes, isLater: false }]);
      }
    }
  });

  it.each(['END', 'CUT'])('every answer is dropped alike after %s', async (command) => {
    await start();
    for (const which of Object.keys(ANSWERS)) {
      const chunks = [{ bytes: Buffer.from(`${command} ${which}\nCOUNT\n`), isLater: false }];
      // What is not said any more may fail before or after the conversation is over.
      const [one, other] = [await direct.hear(chunks), await pipeline.hear(chunks)];
      expect({ ...one, events: one.events.toSorted() }).toEqual({
        ...other,
        events: other.events.toSorted(),
      });
    }
  });

  it('a handler that cuts its own connection is told alike that its client has gone', async () => {
    await start();
    await expectAlike([{ bytes: Buffer.from('CUT AND WAIT\n'), isLater: false }]);
    expect(seenLater).toEqual(['aborted: true']);
  });

  it('every failure is told alike, between others', async () => {
    await start();
    for (const how of Object.keys(FAILURES)) {
      for (const error of Object.keys(ERRORS)) {
        const bytes = Buffer.from(`COUNT\nFAIL "${how}" "${error}"\nCOUNT\n`);
        await expectAlike([{ bytes, isLater: false }]);
      }
    }
  });
});
