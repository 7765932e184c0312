/** What a client is told of whatever a guard, a pipe or a handler throws, and who else learns of it. */
import {
  BadRequestException,
  type CanActivate,
  ConflictException,
  Controller,
  Get,
  HttpException,
  InternalServerErrorException,
  Logger,
  NotFoundException,
  Param,
  type PipeTransform,
  ServiceUnavailableException,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import {
  type AsyncMicroserviceOptions,
  ClientProxyFactory,
  MessagePattern,
  type MicroserviceOptions,
  Payload,
  RpcException,
  Transport,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { concat, firstValueFrom, of, throwError } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  Arg,
  Args,
  ClosingException,
  Command,
  ENGLISH,
  LineError,
  type LineReply,
  LineServer,
  type LineServerOptions,
  type LineStream,
  LineTransportModule,
  type LineWords,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { WORDS } from '../../src/time/time-protocol.js';
import { AS_ASKED } from '../support/dispatch.js';
import { freePort } from '../support/free-port.js';
import { createLineApplication, startLineApplication } from '../support/line-application.js';

const GENERIC = 'SERVER ERROR.';

/** A server whose command THROW throws this, FINE answers `fine`. */
async function serverThatThrows(
  thrown: unknown,
  options: LineServerOptions = {},
): Promise<LineServer> {
  @Controller()
  class ThrowingController {
    @Command('THROW')
    throw(): LineReply {
      throw thrown;
    }

    @Command('REJECT')
    reject(): Promise<LineReply> {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- it may be anything
      return Promise.reject(thrown);
    }

    @Command('OBSERVABLE')
    observable(): LineStream {
      return throwError(() => thrown);
    }

    @Command('LATE OBSERVABLE')
    late(): LineStream {
      return concat(
        of('said'),
        throwError(() => thrown),
      );
    }

    @Command('GENERATOR')
    async *generator(): AsyncGenerator<LineReply> {
      yield await Promise.reject<LineReply>(thrown);
    }

    @Command('LATE GENERATOR')
    async *lateGenerator(): AsyncGenerator<LineReply> {
      yield await Promise.resolve('said');
      throw thrown;
    }

    @UseGuards({ canActivate: () => Promise.reject(thrown) } satisfies CanActivate)
    @Command('GUARD')
    guarded(): LineReply {
      return 'let in';
    }

    @Command('PIPE', { args: 'words' })
    piped(
      @Arg(0, {
        transform: () => {
          throw thrown;
        },
      } satisfies PipeTransform)
      word: string,
    ): LineReply {
      return word;
    }

    @Command('FINE')
    fine(): LineReply {
      return 'fine';
    }
  }

  const { app, server } = await createLineApplication([ThrowingController], options);
  await app.init();
  return server;
}

/** What was said of exceptions beside the wire. */
function follow(server: LineServer): unknown[] {
  const events: unknown[] = [];
  server.on('rejected', (_, line, error) => events.push(['rejected', line, error]));
  server.on('handlerError', (_, line, error) => events.push(['handlerError', line, error]));
  return events;
}

/** What Nest's Logger is given as errors and warnings, and by whom. */
function recordLog(): unknown[][] {
  const logged: unknown[][] = [];
  const record = (message: unknown, ...rest: unknown[]): void => {
    logged.push([message, rest.at(-1)]);
  };
  Logger.overrideLogger({ error: record, warn: record, log: () => undefined });
  onTestFinished(() => Logger.overrideLogger(false));
  return logged;
}

class OutOfStock extends RpcException {}

/** What was meant for the client, and how it is told. */
const MEANT: readonly (readonly [what: string, thrown: unknown, reason: string])[] = [
  ['an RpcException of a string', new RpcException('no such key'), 'no such key'],
  ['an RpcException of an object', new RpcException({ code: 5, message: 'full' }), 'full'],
  [
    'an RpcException of an object without a message',
    new RpcException({ code: 5 }),
    'Rpc Exception',
  ],
  ['an RpcException of its own class', new OutOfStock({}), 'Out Of Stock'],
  ['a 400 of a string', new HttpException('bad', 400), 'bad'],
  ['a 400 of an object', new HttpException({ code: 5, message: 'worse' }, 400), 'worse'],
  ['a 400 of an object without a message', new HttpException({ code: 5 }, 400), 'Http Exception'],
  ['a 400 of a list', new BadRequestException(['one', 'two']), 'one; two'],
  ['a 400 of nothing', new BadRequestException(), 'Bad Request'],
  ['a 404', new NotFoundException('no such user'), 'no such user'],
  ['a 409', new ConflictException('taken', 'Conflict it is'), 'taken'],
  ['a 499', new HttpException('last', 499), 'last'],
];

/** What was not: a defect, or none of the client's business. */
const UNMEANT: readonly (readonly [what: string, thrown: unknown])[] = [
  ['an Error', new Error('secret: password is 123')],
  ['a TypeError', new TypeError('secret')],
  ['a 500', new InternalServerErrorException('secret')],
  ['a 503', new ServiceUnavailableException('secret')],
  ['a 302', new HttpException('secret', 302)],
  ['a 200', new HttpException('secret', 200)],
  ['an HttpException of a status that is none', new HttpException('secret', Number.NaN)],
  ['a LineError', new LineError('ERR_LINE_REPLY', 'secret')],
  ['a string', 'secret'],
  ['an object', { status: 400, message: 'secret' }],
  ['an object that resembles an HttpException', { getStatus: () => 400, message: 'secret' }],
  ['a number', 42],
  ['null', null],
  ['undefined', undefined],
  [
    'an object that throws',
    {
      get message(): string {
        throw new Error('secret');
      },
    },
  ],
];

const WAYS = ['THROW', 'REJECT', 'OBSERVABLE', 'GENERATOR', 'GUARD', 'PIPE x'] as const;
const LATE_WAYS = ['LATE OBSERVABLE', 'LATE GENERATOR'] as const;

describe('An exception that is meant for the client', () => {
  it.each(MEANT)('is told to it, however it was thrown: %s', async (_, thrown, reason) => {
    const server = await serverThatThrows(thrown);
    const events = follow(server);
    const client = new LineConversation(server);
    client.send(...WAYS, 'FINE').end();
    expect(await client.rest()).toEqual([...WAYS.map(() => `ERROR: ${reason}`), 'fine']);
    expect(events).toEqual(WAYS.map((line) => ['rejected', line, thrown]));
    expect(server.stats()).toMatchObject({
      lines: WAYS.length + 1,
      rejected: WAYS.length,
      handlerErrors: 0,
      protocolErrors: { unknownCommand: 0, badArguments: 0, lineTooLong: 0 },
    });
  });

  it.each(LATE_WAYS)('is told behind what was said already: %s', async (line) => {
    const server = await serverThatThrows(new RpcException('no more'));
    const client = new LineConversation(server);
    client.send(line, 'FINE').end();
    expect(await client.rest()).toEqual(['said', 'ERROR: no more', 'fine']);
    expect(server.stats()).toMatchObject({ rejected: 1, handlerErrors: 0 });
  });

  it('is not said to be a reply', async () => {
    const server = await serverThatThrows(new RpcException('no'));
    const replies: string[] = [];
    server.on('reply', (_, line) => replies.push(line));
    const client = new LineConversation(server);
    client.send('THROW', 'LATE OBSERVABLE', 'FINE').end();
    await client.rest();
    expect(replies).toEqual(['said', 'fine']);
  });

  it('is no defect, and not logged', async () => {
    const server = await serverThatThrows(new BadRequestException('no'));
    const log = recordLog();
    for (const line of [...WAYS, ...LATE_WAYS]) await server.inject(line);
    expect(server.stats().rejected).toBe(WAYS.length + LATE_WAYS.length);
    expect(log).toEqual([]);
  });

  it.each([
    new RpcException('a\r\nJAM 00:00:00\n\0b'),
    new BadRequestException(['a\r', '\nJAM 00:00:00\0b']),
    new ClosingException('a\nJAM 00:00:00'),
  ])('forges no second line: %s', async (thrown) => {
    const server = await serverThatThrows(thrown);
    for (const line of WAYS) {
      expect(await server.inject(line)).toMatch(/^ERROR: a[; ]* JAM 00:00:00( b)?$/);
    }
  });
});

describe('A failure that is not meant for the client', () => {
  it.each(UNMEANT)('is told without why, however it was thrown: %s', async (_, thrown) => {
    const server = await serverThatThrows(thrown);
    const events = follow(server);
    const client = new LineConversation(server);
    client.send(...WAYS, 'FINE').end();
    expect(await client.rest()).toEqual([...WAYS.map(() => GENERIC), 'fine']);
    expect(events).toEqual(WAYS.map((line) => ['handlerError', line, thrown]));
    expect(server.stats()).toMatchObject({
      lines: WAYS.length + 1,
      rejected: 0,
      handlerErrors: WAYS.length,
    });
  });

  it.each(LATE_WAYS)('is told behind what was said already: %s', async (line) => {
    const server = await serverThatThrows(new Error('secret'));
    const client = new LineConversation(server);
    client.send(line, 'FINE').end();
    expect(await client.rest()).toEqual(['said', GENERIC, 'fine']);
    expect(server.stats()).toMatchObject({ rejected: 0, handlerErrors: 1 });
  });

  it("is logged by Nest's Logger with its stack, once for each line, if nobody listens", async () => {
    const thrown = new Error('secret');
    const server = await serverThatThrows(thrown);
    const log = recordLog();
    for (const line of [...WAYS, ...LATE_WAYS]) {
      log.length = 0;
      await server.inject(line);
      expect(log).toEqual([[thrown, 'LineServer']]);
    }
    expect(thrown.stack).toContain('errors.spec.ts');
  });

  it('is logged also where it is an HttpException, which Nest itself would not log', async () => {
    const thrown = new ServiceUnavailableException('secret');
    const server = await serverThatThrows(thrown);
    const log = recordLog();
    await server.inject('THROW');
    expect(log).toEqual([[thrown, 'LineServer']]);
  });

  it('is not logged if somebody listens, whose matter it is', async () => {
    const server = await serverThatThrows(new Error('secret'));
    const log = recordLog();
    const heard = vi.fn();
    server.on('handlerError', heard);
    await server.inject('THROW');
    expect(heard).toHaveBeenCalledOnce();
    expect(log).toEqual([]);
  });

  it('is logged also if somebody listens to something else', async () => {
    const server = await serverThatThrows('a string');
    const log = recordLog();
    server.on('rejected', vi.fn());
    server.on('protocolError', vi.fn());
    await server.inject('THROW');
    expect(log).toEqual([['a string', 'LineServer']]);
  });

  it('costs other clients nothing', async () => {
    const server = await serverThatThrows(new Error('secret'));
    const [client, other] = [new LineConversation(server), new LineConversation(server)];
    client.send('THROW');
    other.send('FINE');
    expect(await client.next()).toBe(GENERIC);
    expect(await other.next()).toBe('fine');
    expect(server.stats().connections.open).toBe(2);
  });
});

describe('What is thrown and cannot even be looked at', () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const hostile = {
    get message(): string {
      throw new Error('no');
    },
    [Symbol.toPrimitive](): string {
      throw new Error('no');
    },
  };

  it.each([
    ['a revoked Proxy', revoked.proxy],
    ['an object whose getters throw', hostile],
    ['nothing that inherits', Object.create(null)],
    ['a symbol', Symbol('odd')],
  ])('is a failure like any other: %s', async (_, thrown) => {
    const server = await serverThatThrows(thrown);
    server.on('handlerError', () => undefined);
    const client = new LineConversation(server);
    client.send('THROW', 'FINE').end();
    expect(await client.rest()).toEqual([GENERIC, 'fine']);
    expect(server.stats()).toMatchObject({ rejected: 0, handlerErrors: 1 });
  });

  it('is said to be so in the log if it cannot be logged', async () => {
    const server = await serverThatThrows(revoked.proxy);
    const logged: unknown[] = [];
    Logger.overrideLogger({
      error: (message: unknown) => logged.push(String(message)),
      warn: () => undefined,
      log: () => undefined,
    });
    onTestFinished(() => Logger.overrideLogger(false));
    expect(await server.inject('THROW')).toBe(GENERIC);
    expect(logged).toEqual(['A handler threw something that cannot be logged.']);
  });
});

describe('An RpcException around an error', () => {
  it('is a failure: what failed inside is not told', async () => {
    const cause = new Error('connect ECONNREFUSED 10.0.0.1:5432');
    for (const thrown of [new RpcException(cause), new ClosingException(cause)]) {
      const server = await serverThatThrows(thrown);
      server.on('handlerError', () => undefined);
      expect(await server.inject('THROW')).toBe(GENERIC);
      expect(server.stats()).toMatchObject({ rejected: 0, handlerErrors: 1 });
    }
  });
});

describe('An HttpException with an odd response', () => {
  it.each([undefined, null, 5, true])(
    'is told by its name, and the conversation goes on: %s',
    async (response) => {
      const server = await serverThatThrows(new HttpException(response as never, 400));
      const client = new LineConversation(server);
      client.send('THROW', 'GUARD', 'FINE').end();
      expect(await client.rest()).toEqual([
        'ERROR: Http Exception',
        'ERROR: Http Exception',
        'fine',
      ]);
    },
  );

  it('is told by its status if that is an error, which HTTP clients are not told of either', async () => {
    const cause = new Error('connect ECONNREFUSED 10.0.0.1:5432');
    expect(await (await serverThatThrows(new BadRequestException(cause))).inject('THROW')).toBe(
      'ERROR: Bad Request',
    );
    expect(await (await serverThatThrows(new HttpException(cause, 404))).inject('GUARD')).toBe(
      'ERROR: Not Found',
    );
  });

  it('is told as any failure if it cannot be told, and the conversation goes on', async () => {
    const server = await serverThatThrows(new BadRequestException([Object.create(null)]));
    const client = new LineConversation(server);
    client.send('THROW', 'FINE').end();
    expect(await client.rest()).toEqual([GENERIC, 'fine']);
    expect(server.stats()).toMatchObject({ rejected: 0, handlerErrors: 1 });
  });

  it('tells nothing of what it was caused by', async () => {
    const thrown = new BadRequestException('no', { cause: new Error('secret') });
    expect(await (await serverThatThrows(thrown)).inject('THROW')).toBe('ERROR: no');
  });
});

describe('A guard', () => {
  @Controller()
  class GuardedController {
    @UseGuards({ canActivate: () => false } satisfies CanActivate)
    @Command('FORBIDDEN')
    forbidden(): LineReply {
      return 'let in';
    }

    @UseGuards({
      canActivate: () => {
        throw new UnauthorizedException();
      },
    } satisfies CanActivate)
    @Command('UNAUTHORIZED')
    unauthorized(): LineReply {
      return 'let in';
    }

    @UseGuards({
      canActivate: () => {
        throw new ClosingException('too many attempts');
      },
    } satisfies CanActivate)
    @Command('CLOSED')
    closed(): LineReply {
      return 'let in';
    }

    @UseGuards({ canActivate: () => Promise.resolve(true) } satisfies CanActivate)
    @Command('OPEN')
    open(): LineReply {
      return 'let in';
    }
  }

  it.each([
    ['that lets nobody in says so', 'FORBIDDEN', 'ERROR: Forbidden resource'],
    ['that throws says why', 'UNAUTHORIZED', 'ERROR: Unauthorized'],
    ['that closes says why, too', 'CLOSED', 'ERROR: too many attempts'],
    ['that lets the line in says nothing', 'OPEN', 'let in'],
  ])('%s', async (_, line, reply) => {
    const { app, server } = await createLineApplication([GuardedController]);
    await app.init();
    expect(await server.inject(line)).toBe(reply);
    expect(server.stats()).toMatchObject({ rejected: line === 'OPEN' ? 0 : 1, handlerErrors: 0 });
  });

  it('ends the conversation only if it closes it', async () => {
    const { app, server } = await createLineApplication([GuardedController]);
    await app.init();
    const client = new LineConversation(server);
    client.send('FORBIDDEN', 'UNAUTHORIZED', 'OPEN', 'CLOSED', 'OPEN');
    expect(await client.rest()).toEqual([
      'ERROR: Forbidden resource',
      'ERROR: Unauthorized',
      'let in',
      'ERROR: too many attempts',
    ]);
  });
});

describe('A ClosingException', () => {
  it.each([...WAYS, ...LATE_WAYS])(
    'says its line and ends the conversation; later lines are not served: %s',
    async (line) => {
      const server = await serverThatThrows(new ClosingException('enough'));
      const events = follow(server);
      const ends: unknown[] = [];
      server.on('disconnection', (_, reason) => ends.push(reason));
      const client = new LineConversation(server);
      client.send('FINE', line, 'FINE', line);
      const said = line.startsWith('LATE') ? ['said'] : [];
      expect(await client.rest()).toEqual(['fine', ...said, 'ERROR: enough']);
      expect(ends).toEqual(['quit']);
      expect(events).toEqual([['rejected', line, expect.any(ClosingException)]]);
      expect(server.stats()).toMatchObject({
        lines: 2,
        rejected: 1,
        handlerErrors: 0,
        connections: { open: 0, ended: { quit: 1 } },
      });
    },
  );

  it('is delivered over a real socket with everything before it, then closed by a FIN', async () => {
    @Controller()
    class ClosingController {
      @Command('FINE')
      fine(): LineReply {
        return 'fine';
      }

      @Command('CLOSE')
      close(): LineReply {
        throw new ClosingException('enough');
      }
    }

    const { connect } = await startLineApplication([ClosingController]);
    const client = await connect();
    client.send(`${'FINE\n'.repeat(1_000)}CLOSE\n${'FINE\n'.repeat(1_000)}`);
    expect(await client.transcript()).toBe(`${'fine\r\n'.repeat(1_000)}ERROR: enough\r\n`);
  });

  it('is not what other exceptions do', async () => {
    const server = await serverThatThrows(new RpcException('enough'));
    const client = new LineConversation(server);
    client.send('THROW', 'THROW', 'FINE').end();
    expect(await client.rest()).toEqual(['ERROR: enough', 'ERROR: enough', 'fine']);
  });
});

describe('The words of an error line', () => {
  it.each([
    [
      'throws',
      (): string => {
        throw new Error('no word');
      },
    ],
    ['says no text', (): string => undefined as never],
  ])('are the default ones where a function of it %s', async (_, word) => {
    const words = { ...WORDS.id, rejected: word, lineTooLong: word, unknownCommand: word };
    const server = await serverThatThrows(new RpcException('why'), { words, maxLineBytes: 9 });
    const client = new LineConversation(server);
    client.send('THROW', '0123456789', 'WHAT', 'FINE').end();
    expect(await client.rest()).toEqual([
      'ERROR: why',
      'LINE TOO LONG. At most 9 bytes.',
      expect.stringMatching(/^UNKNOWN COMMAND\. Use THROW/),
      'fine',
    ]);
  });

  it('are all there, or the server is not made', () => {
    const { lineTooLong: _, ...others } = ENGLISH;
    const words = { ...others, serverError: 7 } as never;
    expect(() => new LineServer({ words })).toThrow(
      'words.lineTooLong must be a function; words.serverError must be a string.',
    );
  });

  it.each<[string, LineWords, string, string]>([
    ['English unless said otherwise', ENGLISH, 'ERROR: no', 'SERVER ERROR.'],
    ['Indonesian', WORDS.id, 'GALAT: no', 'KESALAHAN SERVER.'],
    [
      "the application's own",
      { ...ENGLISH, rejected: (reason) => `-ERR <${reason}>`, serverError: '-ERR internal' },
      '-ERR <no>',
      '-ERR internal',
    ],
    [
      'one line, whatever they hold',
      { ...ENGLISH, rejected: (reason) => `-ERR\r\n${reason}`, serverError: 'a\nb' },
      '-ERR no',
      'a b',
    ],
  ])('are %s', async (_, words, rejected, failed) => {
    const meant = await serverThatThrows(new RpcException('no'), { words });
    expect(await meant.inject('THROW')).toBe(rejected);
    const unmeant = await serverThatThrows(new Error('no'), { words });
    expect(await unmeant.inject('THROW')).toBe(failed);
  });
});

describe('In an application that also serves HTTP and another transport', () => {
  const THROWN: readonly [name: string, thrown: unknown][] = [
    ['ERROR', new Error('secret')],
    ['NOT FOUND', new NotFoundException('no such user')],
    ['RPC', new RpcException('no such key')],
    ['STRING', 'secret'],
  ];

  function fail(name: unknown): never {
    throw THROWN.find(([each]) => each === name)?.[1];
  }

  @Controller()
  class HybridController {
    @Command('FAIL', { args: 'rest' })
    answerLine(@Args() name: string): LineReply {
      return fail(name);
    }

    @MessagePattern('fail', Transport.TCP)
    answerMessage(@Payload() name: string): never {
      return fail(name);
    }

    @Get('fail/:name')
    answerRequest(@Param('name') name: string): never {
      return fail(name);
    }
  }

  async function startHybrid(): Promise<{
    line: (name: string) => Promise<string>;
    message: (name: string) => Promise<unknown>;
    http: (name: string) => Promise<unknown>;
  }> {
    const module = await Test.createTestingModule({
      imports: [LineTransportModule.forRoot({ ...AS_ASKED, host: '127.0.0.1' })],
      controllers: [HybridController],
    }).compile();
    const app = module.createNestApplication({ logger: false });
    onTestFinished(() => app.close());
    app.connectMicroservice<AsyncMicroserviceOptions>({
      inject: [LineServer],
      useFactory: (strategy: LineServer) => ({ strategy }),
    });
    const tcp = { host: '127.0.0.1', port: await freePort() };
    app.connectMicroservice<MicroserviceOptions>({ transport: Transport.TCP, options: tcp });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const url = await app.getUrl();
    const messages = ClientProxyFactory.create({ transport: Transport.TCP, options: tcp });
    onTestFinished(() => messages.close());
    return {
      line: (name) => app.get(LineServer).inject(`FAIL ${name}`),
      message: async (name) => {
        const sent = firstValueFrom(messages.send<unknown>('fail', name));
        return sent.catch((error: unknown) => error);
      },
      http: async (name) => {
        const response = await fetch(`${url}/fail/${encodeURIComponent(name)}`);
        return response.json();
      },
    };
  }

  const internal = 'Internal server error';

  it.each([
    [
      'ERROR',
      GENERIC,
      { status: 'error', message: internal },
      { statusCode: 500, message: internal },
    ],
    [
      'STRING',
      GENERIC,
      { status: 'error', message: internal },
      { statusCode: 500, message: internal },
    ],
    [
      'NOT FOUND',
      'ERROR: no such user',
      { status: 'error', message: internal },
      { statusCode: 404, error: 'Not Found', message: 'no such user' },
    ],
    [
      'RPC',
      'ERROR: no such key',
      { status: 'error', message: 'no such key' },
      { statusCode: 500, message: internal },
    ],
  ])('%s is worded for lines, and elsewhere by Nest as ever', async (name, line, message, http) => {
    const hybrid = await startHybrid();
    expect(await hybrid.line(name)).toBe(line);
    expect(await hybrid.message(name)).toEqual(message);
    expect(await hybrid.http(name)).toEqual(http);
    expect(await hybrid.line(name)).toBe(line);
  });

  it("a defect elsewhere is logged by Nest, and is no event of the line server's", async () => {
    const hybrid = await startHybrid();
    const log = recordLog();
    await hybrid.message('ERROR');
    await hybrid.http('ERROR');
    await hybrid.line('ERROR');
    expect(log.map(([, context]) => context)).toEqual([
      'RpcExceptionsHandler',
      'ExceptionsHandler',
      'LineServer',
    ]);
  });
});
