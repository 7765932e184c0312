/** Nest's pre-request hooks: what comes before guards, once for each line that a method answers. */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  Controller,
  ForbiddenException,
  type INestMicroservice,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { catchError, concat, finalize, map, type Observable, of, throwError } from 'rxjs';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  ClosingException,
  Command,
  LineContext,
  type LineReply,
} from '../../src/line-transport/index.js';
import { prepareLineApplication, talk } from '../support/talk.js';
import { EveryAnswer } from './controllers.js';

type Hook = Parameters<INestMicroservice['registerPreRequestHook']>[0];

const storage = new AsyncLocalStorage<string>();
let trace: string[] = [];
beforeEach(() => {
  trace = [];
});

@UseGuards({
  canActivate: () => {
    trace.push('guard');
    return true;
  },
})
@Controller()
class AnswersController extends EveryAnswer {
  @Command('LINE', { args: 'rest' })
  override line(): LineReply {
    trace.push('handler');
    return 'line';
  }

  @UseFilters({ catch: () => 'excused' })
  @Command('FILTERED')
  filtered(): LineReply {
    throw new Error('hidden');
  }

  @Command('STORED')
  stored(): LineReply {
    return storage.getStore();
  }

  @EventPattern('EVENT', { args: 'rest' })
  event(text: string): void {
    trace.push(`event ${text}`);
  }
}

function answeredWith(hook: Hook, ...lines: string[]): Promise<string[]> {
  return prepareLineApplication([AnswersController], [], (app) =>
    app.registerPreRequestHook(hook),
  ).then((server) => talk(server, ...lines));
}

describe('A pre-request hook', () => {
  it.each([
    ['LINE', ['line']],
    ['LINES', ['one', 'two']],
    ['PROMISE', ['one']],
    ['STREAM', ['one', 'two']],
    ['ITERABLE', ['one', 'two']],
    ['NOTHING', []],
    ['FAIL', ['SERVER ERROR.']],
    ['LATE', ['one', 'SERVER ERROR.']],
    ['FILTERED', ['excused']],
    ['EVENT it', []],
  ])('that does nothing leaves %s as it is', async (line, told) => {
    expect(await answeredWith((_, next) => next(), line, 'LINE')).toEqual([...told, 'line']);
  });

  it('that does nothing leaves the end of a conversation as it is', async () => {
    expect(await answeredWith((_, next) => next(), 'CLOSE', 'LINE')).toEqual([]);
  });

  it('is called once for each line that a method answers, before guards, with the line', async () => {
    const hook: Hook = (context, next) => {
      const rpc = context.switchToRpc();
      const { line } = rpc.getContext<LineContext>();
      trace.push(`hook for ${line}: ${context.getType()} ${rpc.getData<string>()}`);
      trace.push(`${context.getClass().name} ${context.getHandler().name}`);
      return next();
    };
    expect(await answeredWith(hook, 'LINE it', 'UNKNOWN', 'EVENT it')).toEqual([
      'line',
      expect.stringMatching(/^UNKNOWN COMMAND/),
    ]);
    expect(trace).toEqual([
      'hook for LINE it: rpc it',
      'AnswersController line',
      'guard',
      'handler',
      'hook for EVENT it: rpc it',
      'AnswersController event',
      'guard',
      'event it',
    ]);
  });

  it('may be one of several, called in the order of registration', async () => {
    const named =
      (name: string): Hook =>
      (_, next) => {
        trace.push(name);
        return next().pipe(finalize(() => trace.push(`${name} again`)));
      };
    const server = await prepareLineApplication([AnswersController], [], (app) =>
      app.registerPreRequestHook(named('first'), named('second')),
    );
    expect(await server.inject('LINE')).toBe('line');
    expect(trace).toEqual(['first', 'second', 'guard', 'handler', 'second again', 'first again']);
  });

  it.each<[string, (replies: Observable<unknown>) => Observable<unknown>, string, string[]]>([
    [
      'changes replies',
      (replies) => replies.pipe(map((line) => `<${String(line)}>`)),
      'STREAM',
      ['<one>', '<two>'],
    ],
    ['adds a line', (replies) => concat(of('first'), replies), 'LINE', ['first', 'line']],
    [
      'answers a failure',
      (replies) => replies.pipe(catchError(() => of('excused'))),
      'FAIL',
      ['excused'],
    ],
  ])('that %s does so', async (_, change, line, told) => {
    expect(await answeredWith((__, next) => change(next()), line, 'PING')).toEqual([
      ...told,
      expect.stringMatching(/^UNKNOWN COMMAND/),
    ]);
  });

  it.each<[string, () => Observable<unknown>, string]>([
    ['answers itself', () => of('closed today'), 'closed today'],
    ['fails', () => throwError(() => new Error('hidden')), 'SERVER ERROR.'],
    ['refuses', () => throwError(() => new ForbiddenException('Not you.')), 'ERROR: Not you.'],
    [
      'throws',
      () => {
        throw new ForbiddenException('Not you.');
      },
      'ERROR: Not you.',
    ],
  ])('that %s keeps guards and the handler from being called', async (_, answer, told) => {
    expect(await answeredWith(answer, 'LINE', 'LINE')).toEqual([told, told]);
    expect(trace).toEqual([]);
  });

  it('that refuses is answered by the filter of the method', async () => {
    const refusing: Hook = () => throwError(() => new ForbiddenException('Not you.'));
    expect(await answeredWith(refusing, 'FILTERED', 'LINE')).toEqual([
      'excused',
      'ERROR: Not you.',
    ]);
  });

  it('may end the conversation', async () => {
    const closing: Hook = () => throwError(() => new ClosingException('Go away.'));
    expect(await answeredWith(closing, 'LINE', 'LINE')).toEqual(['ERROR: Go away.']);
  });

  it('may store what the handler reads, for its own line', async () => {
    const storing: Hook = (context, next) => {
      const { connection } = context.switchToRpc().getContext<LineContext>();
      storage.enterWith(`stored for ${connection.id}`);
      return next();
    };
    expect(await answeredWith(storing, 'STORED', 'STORED')).toEqual([
      'stored for 1',
      'stored for 1',
    ]);
  });
});
