/** Nest's processing hooks, by which its observability measures: once around each line that a method answers. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  type CallHandler,
  Controller,
  type ExecutionContext,
  Inject,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { CONTEXT, EventPattern, type RequestContext } from '@nestjs/microservices';
import { concat, defer, from, map, Observable, of, Subject, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  CLOSE,
  Command,
  LINE_TRANSPORT,
  LineContext,
  type LineReply,
  type LineServer,
  type LineStream,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { prepareLineApplication, talk } from '../support/talk.js';

type StartHook = (context: LineContext, done: () => Promise<unknown>) => unknown;

/** Nest says of a hook's context that it is unknown, and that it returns nothing: what it returns is waited for. */
function onStart(server: LineServer, hook: StartHook): void {
  server.setOnProcessingStartHook((transportId, context, done): unknown => {
    expect(transportId).toBe(LINE_TRANSPORT);
    expect(context).toBeInstanceOf(LineContext);
    return hook(context as LineContext, done);
  });
}

function onEnd(server: LineServer, hook: (context: LineContext) => void): void {
  server.setOnProcessingEndHook((transportId, context) => {
    expect(transportId).toBe(LINE_TRANSPORT);
    expect(context).toBeInstanceOf(LineContext);
    hook(context as LineContext);
  });
}

/** Notes when the hooks are called; what the handlers note stands between. */
function observe(server: LineServer, notes: string[]): void {
  onStart(server, ({ line }, done) => {
    notes.push(`start ${line}`);
    return done();
  });
  onEnd(server, ({ line }) => {
    notes.push(`end ${line}`);
  });
}

let trace: string[] = [];
beforeEach(() => {
  trace = [];
});

function fail(): never {
  throw new Error('hidden');
}

@Controller()
class AnswersController {
  @Command('VALUE')
  value(): LineReply {
    trace.push('value');
    return 'value';
  }

  @Command('PROMISE')
  async promise(): Promise<LineReply> {
    await new Promise((resolve) => setImmediate(resolve));
    trace.push('promise');
    return 'promise';
  }

  @Command('STREAM')
  stream(): LineStream {
    return from([1, 2, 3]).pipe(
      map((line) => {
        trace.push(`line ${line}`);
        return line;
      }),
    );
  }

  @Command('ITERABLE')
  async *iterable(): AsyncGenerator<LineReply> {
    yield 'one';
    await new Promise((resolve) => setImmediate(resolve));
    trace.push('two');
    yield 'two';
  }

  @Command('NOTHING')
  nothing(): void {}

  @Command('CLOSE')
  close(): LineReply {
    return CLOSE;
  }

  @Command('FAIL')
  fail(): LineReply {
    return fail();
  }

  @Command('REJECT')
  reject(): Promise<LineReply> {
    return Promise.reject(new Error('hidden'));
  }

  @Command('LATE')
  late(): LineStream {
    return concat(of('fine'), defer(fail));
  }

  @Command('OBJECT')
  object(): never {
    return { secret: 1 } as never;
  }

  @UseFilters({ catch: () => 'excused' })
  @Command('FILTERED')
  filtered(): LineReply {
    return fail();
  }

  @UseFilters({ catch: fail })
  @Command('FILTER FAILS')
  filterFails(): LineReply {
    return fail();
  }

  @UseGuards({ canActivate: () => false })
  @Command('GUARDED')
  guarded(): LineReply {
    return 'never';
  }

  @UseInterceptors({
    intercept: (_: ExecutionContext, next: CallHandler<unknown>) =>
      next.handle().pipe(map((reply) => `<${String(reply)}>`)),
  })
  @Command('INTERCEPTED')
  intercepted(): LineStream {
    return of('one', 'two');
  }

  @EventPattern('EVENT', { args: 'rest' })
  event(text: string): Observable<unknown> {
    return defer(() => {
      trace.push(`event ${text}`);
      return of(text);
    });
  }

  @EventPattern('EVENT FAILS', { args: 'rest' })
  eventFails(text: string): void {
    throw new Error(text);
  }
}

@Controller({ scope: Scope.REQUEST })
class ScopedController {
  constructor(@Inject(CONTEXT) private readonly request: RequestContext<string, LineContext>) {}

  @Command('SCOPED')
  scoped(): LineReply {
    return this.request.getContext().line;
  }
}

const CONTROLLERS = [AnswersController, ScopedController];

/** A server whose command SUBJECT says what the test says, and which is observed. */
async function observeSubject(): Promise<{ lines: Subject<LineReply>; server: LineServer }> {
  const lines = new Subject<LineReply>();

  @Controller()
  class SubjectController {
    @Command('SUBJECT')
    subject(): LineStream {
      return lines;
    }
  }

  const server = await prepareLineApplication([SubjectController]);
  observe(server, trace);
  return { lines, server };
}

describe('The processing hooks are called once each', () => {
  it.each<[line: string, told: string[], between: string[]]>([
    ['VALUE', ['value'], ['value']],
    ['PROMISE', ['promise'], ['promise']],
    ['STREAM', ['1', '2', '3'], ['line 1', 'line 2', 'line 3']],
    ['ITERABLE', ['one', 'two'], ['two']],
    ['NOTHING', [], []],
    ['FAIL', ['SERVER ERROR.'], []],
    ['REJECT', ['SERVER ERROR.'], []],
    ['LATE', ['fine', 'SERVER ERROR.'], []],
    ['OBJECT', ['SERVER ERROR.'], []],
    ['FILTERED', ['excused'], []],
    ['FILTER FAILS', ['SERVER ERROR.'], []],
    ['GUARDED', ['ERROR: Forbidden resource'], []],
    ['INTERCEPTED', ['<one>', '<two>'], []],
    ['SCOPED', ['SCOPED'], []],
    ['EVENT it', [], ['event it']],
    ['EVENT FAILS it', [], []],
  ])('around %s', async (line, told, between) => {
    const server = await prepareLineApplication(CONTROLLERS);
    observe(server, trace);
    expect(await talk(server, line, 'VALUE')).toEqual([...told, 'value']);
    expect(trace).toEqual([
      `start ${line}`,
      ...between,
      `end ${line}`,
      'start VALUE',
      'value',
      'end VALUE',
    ]);
  });

  it('around a line that ends the conversation', async () => {
    const server = await prepareLineApplication(CONTROLLERS);
    observe(server, trace);
    expect(await talk(server, 'CLOSE', 'VALUE')).toEqual([]);
    expect(trace).toEqual(['start CLOSE', 'end CLOSE']);
  });

  it('around a stream, up to its completion and not up to its first line', async () => {
    const { lines, server } = await observeSubject();
    const client = new LineConversation(server).send('SUBJECT').end();
    await vi.waitUntil(() => lines.observed);
    lines.next('one');
    expect(await client.next()).toBe('one');
    expect(trace).toEqual(['start SUBJECT']);
    lines.next('two');
    lines.complete();
    expect(await client.rest()).toEqual(['two']);
    expect(trace).toEqual(['start SUBJECT', 'end SUBJECT']);
  });

  it('around a line whose client goes meanwhile', async () => {
    const { lines, server } = await observeSubject();
    const client = new LineConversation(server).send('SUBJECT', 'SUBJECT');
    await vi.waitUntil(() => lines.observed);
    const over = new Promise((resolve) => server.on('disconnection', resolve));
    client.disconnect();
    await over;
    expect(trace).toEqual(['start SUBJECT', 'end SUBJECT']);
    expect(lines.observed).toBe(false);
  });

  it('also if only one of them is set', async () => {
    const server = await prepareLineApplication(CONTROLLERS);
    onEnd(server, ({ line }) => {
      trace.push(`end ${line}`);
    });
    expect(await talk(server, 'VALUE', 'FAIL')).toEqual(['value', 'SERVER ERROR.']);
    expect(trace).toEqual(['value', 'end VALUE', 'end FAIL']);
  });
});

describe('The processing hooks are not called', () => {
  it('for a line that no method answers, nor for arguments that no method takes', async () => {
    const server = await prepareLineApplication(CONTROLLERS);
    observe(server, trace);
    await talk(server, 'UNKNOWN', 'VALUE it', '');
    expect(trace).toEqual([]);
    expect(server.stats().lines).toBe(3);
  });
});

describe('With time stopped', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('the processing of a handler that is given up ends then, and not again when it answers', async () => {
    let answer: (reply: string) => void;
    const answered = new Promise<string>((resolve) => {
      answer = resolve;
    });

    @Controller()
    class SlowController {
      @Command('SLOW', { timeoutMs: 1_000 })
      async slow(): Promise<LineReply> {
        trace.push('slow');
        return answered;
      }

      @Command('VALUE')
      value(): LineReply {
        return 'value';
      }
    }

    const server = await prepareLineApplication([SlowController]);
    observe(server, trace);
    const client = new LineConversation(server).send('SLOW', 'VALUE');
    while (trace.length < 2) await new Promise((resolve) => setImmediate(resolve));
    vi.advanceTimersByTime(999);
    expect(trace).toEqual(['start SLOW', 'slow']);
    vi.advanceTimersByTime(501);
    expect(await client.next()).toBe('NO ANSWER IN TIME.');
    expect(await client.next()).toBe('value');
    answer!('late');
    await answered;
    expect(await client.send('VALUE').end().rest()).toEqual(['value']);
    expect(trace).toEqual([
      'start SLOW',
      'slow',
      'end SLOW',
      'start VALUE',
      'end VALUE',
      'start VALUE',
      'end VALUE',
    ]);
  });
});

describe('What the start hook stores for what it calls', () => {
  const storage = new AsyncLocalStorage<string>();

  function note(where: string): void {
    trace.push(`${where} of ${storage.getStore()}`);
  }

  @UseGuards({
    canActivate: () => {
      note('guard');
      return true;
    },
  })
  @Controller()
  class StoredController {
    @Command('VALUE')
    value(): LineReply {
      note('handler');
      return 'value';
    }

    @UseInterceptors({
      intercept: (_: ExecutionContext, next: CallHandler<unknown>) => {
        note('interceptor');
        return next.handle();
      },
    })
    @Command('INTERCEPTED')
    intercepted(): LineReply {
      note('handler');
      return 'value';
    }

    @Command('STREAM')
    stream(): LineStream {
      return new Observable<LineReply>((subscriber) => {
        note('subscription');
        setImmediate(() => {
          note('late line');
          subscriber.next('late');
          subscriber.complete();
        });
      });
    }

    @Command('ITERABLE')
    async *iterable(): AsyncGenerator<LineReply> {
      note('first line');
      yield 'one';
      await new Promise((resolve) => setImmediate(resolve));
      note('last line');
      yield 'two';
    }

    @Command('INNER')
    inner(): LineStream {
      return of(this.iterable()) as never;
    }

    @UseFilters({
      catch: () => {
        note('filter');
        return 'excused';
      },
    })
    @Command('LATE')
    late(): LineStream {
      return throwError(() => new Error('hidden'));
    }

    @EventPattern('EVENT', { args: 'rest' })
    async event(text: string): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve));
      note(text);
    }
  }

  it.each<[line: string, noted: string[]]>([
    ['VALUE', ['guard', 'handler']],
    ['INTERCEPTED', ['guard', 'interceptor', 'handler']],
    ['STREAM', ['guard', 'subscription', 'late line']],
    ['ITERABLE', ['guard', 'first line', 'last line']],
    ['INNER', ['guard', 'first line', 'last line']],
    ['LATE', ['guard', 'filter']],
    ['EVENT it', ['guard', 'it']],
  ])('is there for %s, and for no other line', async (line, noted) => {
    const server = await prepareLineApplication([StoredController]);
    onStart(server, ({ connection, line: served }, done) =>
      storage.run(`${connection.id} ${served}`, done),
    );
    await talk(server, line, 'VALUE');
    await talk(server, line);
    expect(trace).toEqual([
      ...noted.map((where) => `${where} of 1 ${line}`),
      'guard of 1 VALUE',
      'handler of 1 VALUE',
      ...noted.map((where) => `${where} of 2 ${line}`),
    ]);
    expect(storage.getStore()).toBeUndefined();
  });
});

describe('A processing hook that fails', () => {
  it('at the start costs its own line alone, whose handler is not called', async () => {
    const server = await prepareLineApplication(CONTROLLERS);
    onStart(server, ({ line }, done) => (line === 'STREAM' ? fail() : done()));
    expect(await talk(server, 'VALUE', 'STREAM', 'VALUE')).toEqual([
      'value',
      'SERVER ERROR.',
      'value',
    ]);
    expect(trace).toEqual(['value', 'value']);
    expect(server.stats().handlerErrors).toBe(1);
  });

  it('at the start, later, does the same', async () => {
    const server = await prepareLineApplication(CONTROLLERS);
    onStart(server, async ({ line }, done) => {
      await Promise.resolve();
      return line === 'STREAM' ? fail() : done();
    });
    expect(await talk(server, 'STREAM', 'VALUE')).toEqual(['SERVER ERROR.', 'value']);
    expect(server.stats().handlerErrors).toBe(1);
  });

  it('after the handler has answered, changes nothing of the answer', async () => {
    const server = await prepareLineApplication(CONTROLLERS);
    onStart(server, async (_, done) => {
      await done();
      fail();
    });
    expect(await talk(server, 'STREAM', 'VALUE')).toEqual(['1', '2', '3', 'value']);
  });

  it('at the end costs nothing that was said, and is seen', async () => {
    const server = await prepareLineApplication(CONTROLLERS);
    const failed: string[] = [];
    server.on('handlerError', (_, line, error) => failed.push(`${line}: ${String(error)}`));
    onEnd(server, fail);
    expect(await talk(server, 'VALUE', 'STREAM', 'VALUE')).toEqual([
      'value',
      '1',
      '2',
      '3',
      'value',
    ]);
    expect(failed).toEqual([
      'VALUE: Error: hidden',
      'STREAM: Error: hidden',
      'VALUE: Error: hidden',
    ]);
  });
});
