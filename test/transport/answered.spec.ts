/** What became of each line, and how long that took: told once for each, to those who listen. */
import { BadRequestException, Controller, UseGuards } from '@nestjs/common';
import { Ctx, EventPattern, RpcException } from '@nestjs/microservices';
import { concat, NEVER, of } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  type Answered,
  closeWith,
  Command,
  LineContext,
  type LineReply,
  type LineServer,
  type LineStream,
  UnknownCommand,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { nextEvent } from '../support/line-application.js';
import { prepareLineApplication, talk } from '../support/talk.js';
import { AnswersController, EchoController, FallbackController, Gate } from './controllers.js';

/** What was told, as `COMMAND outcome`, and how long each took. */
function answeredBy(server: LineServer): { told: string[]; durations: number[] } {
  const told: string[] = [];
  const durations: number[] = [];
  server.on('answered', (_, { command, outcome, durationMs }: Answered) => {
    told.push(`${command} ${outcome}`);
    durations.push(durationMs);
  });
  return { told, durations };
}

/** What becomes of these lines. */
async function outcomesOf(server: LineServer, ...lines: string[]): Promise<string[]> {
  const { told } = answeredBy(server);
  await talk(server, ...lines);
  return told;
}

@Controller()
class OutcomesController {
  @Command('SET', { args: ['key', 'value?'] })
  set(): LineReply {
    return 'OK';
  }

  @EventPattern('NOTE')
  note(_line: string): void {}

  @EventPattern('BAD NOTE')
  badNote(_line: string): void {
    throw new Error('secret');
  }

  @Command('REJECTED')
  rejected(): LineReply {
    throw new RpcException('no');
  }

  @Command('REJECTED LATER')
  rejectedLater(): Promise<LineReply> {
    return Promise.reject(new BadRequestException('no'));
  }

  @UseGuards({ canActivate: () => false })
  @Command('GUARDED')
  guarded(): LineReply {
    return 'never';
  }
}

describe('What became of a line is told', () => {
  it.each([
    ['PING', 'PING replied'],
    ['SLOW', 'SLOW replied'],
    ['LINES', 'LINES replied'],
    ['NOTHING', 'NOTHING replied'],
    ['OBSERVABLE', 'OBSERVABLE replied'],
    ['ITERABLE', 'ITERABLE replied'],
    ['QUIT', 'QUIT replied'],
    ['BYE', 'BYE replied'],
    ['STREAM AND CLOSE', 'STREAM AND CLOSE replied'],
    ['NOTE', 'NOTE replied'],
    ['REJECTED', 'REJECTED rejected'],
    ['REJECTED LATER', 'REJECTED LATER rejected'],
    ['GUARDED', 'GUARDED rejected'],
    ['THROW', 'THROW failed'],
    ['REJECT', 'REJECT failed'],
    ['OBJECT', 'OBJECT failed'],
    ['LATE', 'LATE failed'],
    ['BAD NOTE', 'BAD NOTE failed'],
    ['SET', 'SET badArguments'],
    ['SET "a', 'SET badArguments'],
    ['SET a', 'SET replied'],
    ['JAM', ' unknownCommand'],
    ['x'.repeat(2_000), ' lineTooLong'],
  ])('once: %s', async (line, told) => {
    const server = await prepareLineApplication([
      EchoController,
      AnswersController,
      OutcomesController,
    ]);
    expect(await outcomesOf(server, line)).toEqual([told]);
  });

  it('for each of many, in order, and for none that is not served', async () => {
    const server = await prepareLineApplication([EchoController]);
    expect(await outcomesOf(server, 'PING', 'SLOW', 'what', 'PING', 'QUIT', 'PING')).toEqual([
      'PING replied',
      'SLOW replied',
      ' unknownCommand',
      'PING replied',
      'QUIT replied',
    ]);
  });

  it('behind the last line of its reply', async () => {
    const server = await prepareLineApplication([AnswersController]);
    const happened: string[] = [];
    server.on('request', (_, line) => happened.push(line));
    server.on('reply', (_, line) => happened.push(line));
    server.on('answered', (_, { outcome }) => happened.push(outcome));
    await talk(server, 'LINES', 'OBSERVABLE');
    const lines = ['LINES', 'one', 'two', '', 'replied'];
    expect(happened).toEqual([...lines, 'OBSERVABLE', 'one', 'two', 'three', '4', 'replied']);
  });

  it('with the name of a command, and never with what a client wrote', async () => {
    const server = await prepareLineApplication([FallbackController]);
    const ignoring = await prepareLineApplication([EchoController], [], undefined, {
      ignoreCase: true,
    });
    expect(await outcomesOf(server, 'what', ' PING\t', '')).toEqual([
      ' replied',
      'PING replied',
      ' replied',
    ]);
    expect(await outcomesOf(ignoring, 'ping', 'Quit')).toEqual(['PING replied', 'QUIT replied']);
  });

  it('of lines alone: a greeting and a push are none', async () => {
    const server = await prepareLineApplication([EchoController], [], undefined, {
      greeting: 'HELLO',
    });
    const { told } = answeredBy(server);
    const client = new LineConversation(server);
    client.connection.push('NEWS');
    client.send('PING').end();
    expect(await client.rest()).toEqual(['HELLO', 'NEWS', 'PONG']);
    expect(told).toEqual(['PING replied']);
  });

  it('to those who listen; without anyone no line is measured', async () => {
    const server = await prepareLineApplication([EchoController]);
    const lines = Array.from({ length: 200 }, () => 'PING');
    const now = vi.spyOn(performance, 'now');
    await talk(server, ...lines);
    expect(now.mock.calls.length).toBeLessThan(lines.length);
    now.mockClear();
    const { told } = answeredBy(server);
    await talk(server, ...lines);
    expect(now.mock.calls.length).toBeGreaterThanOrEqual(2 * lines.length);
    now.mockRestore();
    expect(told).toHaveLength(lines.length);
  });
});

describe('A line whose client has gone', () => {
  @Controller()
  class CutController {
    readonly gate = new Gate();

    @Command('HELD')
    async held(): Promise<LineReply> {
      await this.gate.pass();
      return 'too late';
    }

    @Command('TICKS')
    ticks(): LineStream {
      return concat(of('tick'), NEVER);
    }

    @Command('CUT')
    cut(@Ctx() { connection }: LineContext): LineReply {
      connection.destroy('quit');
      return 'never';
    }
  }

  it.each(['HELD', 'TICKS'])('is abandoned, once: %s', async (line) => {
    const server = await prepareLineApplication([EchoController, CutController]);
    const { told } = answeredBy(server);
    const client = new LineConversation(server).send('PING', line, 'PING');
    await client.next();
    if (line === 'TICKS') await client.next();
    else await vi.waitUntil(() => server.stats().lines === 2);
    client.disconnect();
    await vi.waitUntil(() => told.length === 2);
    await talk(server, 'PING');
    expect(told).toEqual(['PING replied', `${line} abandoned`, 'PING replied']);
  });

  it('is abandoned, also where its handler has sent it away', async () => {
    const server = await prepareLineApplication([CutController]);
    expect(await outcomesOf(server, 'CUT', 'CUT')).toEqual(['CUT abandoned']);
  });

  it('is not abandoned if the client has only closed its side: it is answered', async () => {
    const server = await prepareLineApplication([EchoController]);
    expect(await outcomesOf(server, 'SLOW', 'BYE')).toEqual(['SLOW replied', 'BYE replied']);
  });
});

describe('A line whose handler takes too long', () => {
  it('is timed out, and what the handler answers later is not told', async () => {
    const gate = new Gate();
    const answered = new Gate();

    @Controller()
    class HeldController {
      @Command('HELD')
      async held(): Promise<LineReply> {
        await gate.pass();
        answered.open();
        return closeWith('too late');
      }

      @EventPattern('HELD NOTE')
      note(_line: string): Promise<void> {
        return gate.pass();
      }
    }

    const server = await prepareLineApplication([EchoController, HeldController], [], undefined, {
      handlerTimeoutMs: 20,
    });
    const { told } = answeredBy(server);
    const client = new LineConversation(server).send('HELD', 'HELD NOTE', 'PING');
    expect([await client.next(), await client.next()]).toEqual(['NO ANSWER IN TIME.', 'PONG']);
    gate.open();
    await answered.pass();
    client.send('PING').end();
    await client.rest();
    expect(told).toEqual(['HELD timedOut', 'HELD NOTE timedOut', 'PING replied', 'PING replied']);
  });
});

describe('The time that a line takes', () => {
  const TOOK_MS = 30;

  @Controller()
  class SlowController {
    @Command('AT ONCE')
    atOnce(): LineReply {
      const begun = performance.now();
      while (performance.now() - begun < TOOK_MS);
      return 'done';
    }

    @Command('LATER')
    async later(): Promise<LineReply> {
      await atLeast(TOOK_MS);
      return 'done';
    }

    @Command('STREAM')
    async *stream(): AsyncGenerator<LineReply> {
      yield 'begun';
      await atLeast(TOOK_MS);
      yield 'done';
    }
  }

  async function atLeast(ms: number): Promise<void> {
    const until = performance.now() + ms;
    while (performance.now() < until) await new Promise((resolve) => setImmediate(resolve));
  }

  it.each(['AT ONCE', 'LATER', 'STREAM'])(
    'is that until its answer is complete: %s',
    async (line) => {
      const server = await prepareLineApplication([SlowController, EchoController]);
      const { durations } = answeredBy(server);
      const begun = performance.now();
      await talk(server, 'PING', line, 'PING');
      const all = performance.now() - begun;
      const [before, its, after] = durations;
      expect(durations).toHaveLength(3);
      expect(its).toBeGreaterThanOrEqual(TOOK_MS);
      expect((before ?? 0) + (its ?? 0) + (after ?? 0)).toBeLessThanOrEqual(all);
    },
  );

  it('is not that of lines before it', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const gate = new Gate();

      @Controller()
      class HeldController {
        @Command('HELD')
        async held(): Promise<LineReply> {
          await gate.pass();
          return 'done';
        }
      }

      const server = await prepareLineApplication([HeldController, EchoController]);
      const { durations } = answeredBy(server);
      const asked = nextEvent(server, 'request');
      const client = new LineConversation(server).send('HELD', 'PING').end();
      await asked;
      vi.advanceTimersByTime(5_000);
      gate.open();
      await client.rest();
      expect(durations).toEqual([5_000, 0]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is told of a line that is answered by an error line, too', async () => {
    const server = await prepareLineApplication([UnknownController, EchoController]);
    const { durations } = answeredBy(server);
    await talk(server, 'what', 'x'.repeat(2_000), 'PING');
    expect(durations).toHaveLength(3);
    for (const each of durations) expect(each).toBeGreaterThanOrEqual(0);
  });

  @Controller()
  class UnknownController {
    @UnknownCommand()
    unknown(): LineReply {
      throw new RpcException('no');
    }
  }
});
