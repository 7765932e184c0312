/** Lines that are events: a method is told of them, and the client is told nothing. */
import { Controller, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { defer, from, map, Observable, of, timer } from 'rxjs';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import {
  Arg,
  closeWith,
  Command,
  LINE_TRANSPORT,
  LineContext,
  type LineReply,
  type LineServer,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { failsAfter } from '../support/fails-after.js';
import { createLineApplication } from '../support/line-application.js';
import { prepareLineApplication, talk } from '../support/talk.js';

let trace: string[] = [];
beforeEach(() => {
  trace = [];
});

@Controller()
class PingController {
  @Command('PING')
  ping(): LineReply {
    trace.push('ping');
    return 'PONG';
  }
}

function failuresOf(server: LineServer): string[] {
  const failures: string[] = [];
  server.on('handlerError', (_, line, error) => failures.push(`${line}: ${String(error)}`));
  return failures;
}

describe('An event', () => {
  @Controller()
  class SaidController {
    @EventPattern('NOTE', { args: 'rest' })
    note(text: string): LineReply {
      trace.push(`note ${text}`);
      return 'not said';
    }

    @EventPattern('PROMISE')
    async promise(text: string): Promise<LineReply> {
      await new Promise((resolve) => setImmediate(resolve));
      trace.push(`promise ${text}`);
      return ['not', 'said'];
    }

    @EventPattern('STREAM')
    stream(text: string) {
      return from([1, 2, 3]).pipe(map((number) => trace.push(`${number}${text}`)));
    }

    @EventPattern('LATER')
    later(text: string) {
      return timer(0).pipe(map(() => trace.push(`later ${text}`)));
    }

    @EventPattern('ITERABLE')
    async *iterable(text: string): AsyncGenerator<LineReply> {
      yield text;
      trace.push('iterable');
      yield text;
      trace.push('to its end');
    }

    @EventPattern('CLOSE')
    close(text: string): LineReply {
      return closeWith('not said', text);
    }

    @EventPattern('OBJECT')
    object(text: string): object {
      return { text };
    }
  }

  it.each([
    ['NOTE it', ['note it']],
    ['PROMISE', ['promise ']],
    ['STREAM', ['1', '2', '3']],
    ['LATER', ['later ']],
    ['ITERABLE', ['iterable', 'to its end']],
    ['CLOSE', []],
    ['OBJECT', []],
  ])('is answered with nothing, whatever its method returns: %s', async (line, done) => {
    const server = await prepareLineApplication([SaidController, PingController]);
    expect(await talk(server, line, 'PING')).toEqual(['PONG']);
    expect(trace).toEqual([...done, 'ping']);
    expect(server.stats()).toMatchObject({ lines: 2, handlerErrors: 0, rejected: 0 });
  });

  it('is no reply to those who listen', async () => {
    const server = await prepareLineApplication([SaidController, PingController]);
    const replies: string[] = [];
    server.on('reply', (_, line) => replies.push(line));
    await talk(server, 'NOTE it', 'PING', 'STREAM');
    expect(replies).toEqual(['PONG']);
  });

  it('keeps its place: lines behind it are served after it, and not those of others', async () => {
    let letGo: () => void;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });

    @Controller()
    class SlowController {
      @EventPattern('SLOW', { args: 'rest' })
      async slow(text: string): Promise<void> {
        trace.push(`begin ${text}`);
        await gate;
        trace.push(`end ${text}`);
      }
    }

    const server = await prepareLineApplication([SlowController, PingController]);
    const waiting = new LineConversation(server).send('SLOW one', 'PING', 'SLOW two', 'PING').end();
    await vi.waitUntil(() => trace.length === 1);
    expect(await talk(server, 'PING')).toEqual(['PONG']);
    expect(trace).toEqual(['begin one', 'ping']);
    letGo!();
    expect(await waiting.rest()).toEqual(['PONG', 'PONG']);
    expect(trace).toEqual(['begin one', 'ping', 'end one', 'ping', 'begin two', 'end two', 'ping']);
  });

  it('is listed among the commands, since a client may send it', async () => {
    const server = await prepareLineApplication([SaidController, PingController]);
    expect(server.commands.map(({ name }) => name)).toContain('NOTE');
    expect(await server.inject('note')).toMatch(/^UNKNOWN COMMAND\. Use NOTE, PROMISE/);
  });

  it('is given its payload and its context', async () => {
    @Controller()
    class GivenController {
      @EventPattern<'SET'>('SET', LINE_TRANSPORT, { args: ['key', 'value'] })
      set(@Payload() payload: object, @Arg('value') value: string, @Ctx() context: LineContext) {
        trace.push(JSON.stringify(payload), value, context.line, context.command);
      }

      @EventPattern('BARE')
      bare(payload: unknown): void {
        trace.push(JSON.stringify(payload));
      }
    }

    const server = await prepareLineApplication([GivenController]);
    expect(await talk(server, 'SET a "b c"', 'BARE')).toEqual([]);
    expect(trace).toEqual(['{"key":"a","value":"b c"}', 'b c', 'SET a "b c"', 'SET', '""']);
  });

  it('that is sent with arguments it does not take is told so, like any line', async () => {
    @Controller()
    class TwoController {
      @EventPattern('SET', { args: ['key', 'value?'] })
      set(payload: object): void {
        trace.push(JSON.stringify(payload));
      }
    }

    const server = await prepareLineApplication([TwoController]);
    expect(await talk(server, 'SET', 'SET a b c', 'SET "a')).toEqual([
      'WRONG ARGUMENTS. Use SET <key> [value].',
      'WRONG ARGUMENTS. Use SET <key> [value].',
      'UNBALANCED QUOTES.',
    ]);
    expect(trace).toEqual([]);
    expect(await talk(server, 'SET a', 'SET a b')).toEqual([]);
    expect(trace).toEqual(['{"key":"a"}', '{"key":"a","value":"b"}']);
  });

  it('passes guards and interceptors', async () => {
    @Controller()
    class GuardedController {
      @UseGuards({ canActivate: (host) => host.switchToRpc().getData<string>() !== 'secret' })
      @UseInterceptors({
        intercept: (_, next) => {
          trace.push('intercepted');
          return next.handle();
        },
      })
      @EventPattern('NOTE', { args: 'rest' })
      note(text: string): void {
        trace.push(text);
      }
    }

    const server = await prepareLineApplication([GuardedController, PingController]);
    expect(await talk(server, 'NOTE secret', 'NOTE it', 'PING')).toEqual(['PONG']);
    expect(trace).toEqual(['intercepted', 'it', 'ping']);
  });
});

describe('The method of an event that fails', () => {
  @Controller()
  class FailingController {
    @EventPattern('THROW')
    throw(text: string): void {
      throw new Error(`thrown${text}`);
    }

    @EventPattern('REJECT')
    reject(text: string): Promise<void> {
      return Promise.reject(new Error(`rejected${text}`));
    }

    @EventPattern('STREAM')
    stream(text: string) {
      return failsAfter('one', `failed${text}`);
    }

    @UseGuards({ canActivate: () => false })
    @EventPattern('GUARD')
    guard(text: string): void {
      trace.push(text);
    }
  }

  it.each([
    ['THROW', 'Error: thrown'],
    ['REJECT', 'Error: rejected'],
    ['STREAM', 'Error: failed'],
    ['GUARD', 'Error: Forbidden resource'],
  ])('is no word to the client, and is seen: %s', async (line, failure) => {
    const server = await prepareLineApplication([FailingController, PingController]);
    const failures = failuresOf(server);
    expect(await talk(server, line, 'PING')).toEqual(['PONG']);
    expect(failures).toEqual([`${line}: ${failure}`]);
    expect(server.stats()).toMatchObject({ handlerErrors: 1, rejected: 0 });
  });

  it('may be answered by a filter, which says nothing either', async () => {
    @Controller()
    class FilteredController {
      @UseFilters({
        catch: (exception: Error) => {
          trace.push(exception.message);
          return 'not said';
        },
      })
      @EventPattern('THROW')
      throw(text: string): void {
        throw new Error(`thrown${text}`);
      }
    }

    const server = await prepareLineApplication([FilteredController, PingController]);
    const failures = failuresOf(server);
    expect(await talk(server, 'THROW', 'PING')).toEqual(['PONG']);
    expect(trace).toEqual(['thrown', 'ping']);
    expect(failures).toEqual([]);
  });
});

describe('Several methods of one event', () => {
  @Controller()
  class FirstController {
    @EventPattern('NOTE', { args: 'rest' })
    async first(text: string): Promise<void> {
      await new Promise((resolve) => setImmediate(resolve));
      trace.push(`first ${text}`);
      if (text === 'fail') throw new Error('first');
    }
  }

  @Controller()
  class SecondController {
    @EventPattern<'NOTE'>('NOTE', { args: 'rest' })
    async second(@Payload() text: string, @Ctx() { command }: LineContext): Promise<void> {
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      trace.push(`second ${text} of ${command}`);
    }

    @EventPattern('NOTE', { args: 'rest' })
    third(text: string): Observable<string> {
      return defer(() => {
        trace.push(`third ${text}`);
        return of(text);
      });
    }
  }

  it('are each called, and lines behind it wait for all of them', async () => {
    const server = await prepareLineApplication([
      FirstController,
      SecondController,
      PingController,
    ]);
    expect(server.commands.map(({ name }) => name)).toEqual(['NOTE', 'PING']);
    expect(await talk(server, 'NOTE it', 'PING')).toEqual(['PONG']);
    expect(trace.slice(0, -1).toSorted()).toEqual(['first it', 'second it of NOTE', 'third it']);
    expect(trace.at(-1)).toBe('ping');
    expect(server.stats().handlerErrors).toBe(0);
  });

  it('are each begun although one fails, which is seen', async () => {
    const server = await prepareLineApplication([
      FirstController,
      SecondController,
      PingController,
    ]);
    const failures = failuresOf(server);
    expect(await talk(server, 'NOTE fail', 'PING')).toEqual(['PONG']);
    await vi.waitUntil(() => trace.includes('second fail of NOTE'));
    expect(failures).toEqual(['NOTE fail: Error: first']);
  });
});

describe('An event and a command of one name', () => {
  @Controller()
  class EventController {
    @EventPattern('PING')
    event(text: string): void {
      trace.push(text);
    }
  }

  @Controller()
  class PlainPingController {
    @MessagePattern('PING')
    ping(): LineReply {
      return 'PONG';
    }
  }

  it.each([
    ['the command first', [PingController, EventController]],
    ['the event first', [EventController, PingController]],
    ["Nest's own decorators", [EventController, PlainPingController]],
  ])('stop the start: %s', async (_, controllers) => {
    const { app } = await createLineApplication(controllers);
    await expect(app.init()).rejects.toMatchObject({
      code: 'ERR_LINE_COMMAND',
      message: expect.stringContaining('"PING" is both a command and an event.'),
    });
  });

  it('are one where case is ignored', async () => {
    @Controller()
    class LowerController {
      @EventPattern('ping')
      event(text: string): void {
        trace.push(text);
      }
    }

    const { app } = await createLineApplication([PingController, LowerController], {
      ignoreCase: true,
    });
    await expect(app.init()).rejects.toThrow(/is both a command and an event/);
    const server = await prepareLineApplication([PingController, LowerController]);
    expect(server.commands.map(({ name }) => name)).toEqual(['PING', 'ping']);
  });
});
