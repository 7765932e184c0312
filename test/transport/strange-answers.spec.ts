/** Answers that are too much hurt their own line alone. */
import { Controller } from '@nestjs/common';
import { concat, interval, map, NEVER, Observable, of, range, repeat } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Command, type LineReply, type LineStream } from '../../src/line-transport/index.js';
import { startLineApplication } from '../support/line-application.js';
import { prepareLineApplication, talk } from '../support/talk.js';
import { EchoController } from './controllers.js';

const FAILED = 'SERVER ERROR.';
const AT_MOST = 16_777_216;
let subscriptions = 0;
let isSubscribed = false;

@Controller()
class StrangeController {
  /** Emits for ever while it is subscribed to. */
  @Command('ENDLESS')
  endless(): LineStream {
    return of('again').pipe(repeat());
  }

  @Command('FAST')
  fast(): LineStream {
    return new Observable<LineReply>((subscriber) => {
      subscriptions++;
      isSubscribed = true;
      const emitting = setInterval(() => {
        for (let each = 0; each < 10_000; each++) subscriber.next('x'.repeat(100));
      });
      return () => {
        isSubscribed = false;
        clearInterval(emitting);
      };
    });
  }

  @Command('NESTED')
  nested(): LineStream {
    const counts = interval(0).pipe(map(() => concat(of('inner'), NEVER)));
    return counts as unknown as LineStream;
  }

  @Command('RANGE')
  range(): LineStream {
    return range(1, 100);
  }

  @Command('HUGE')
  huge(): LineReply {
    return 'x'.repeat(AT_MOST + 1);
  }

  @Command('HUGER')
  huger(): LineReply {
    return 'x'.repeat(2 ** 29 - 24); // the longest string of V8: with a line end it would be none
  }

  @Command('LARGE')
  large(): LineReply {
    return 'x'.repeat(AT_MOST);
  }

  @Command('PARTS')
  parts(): LineReply {
    return ['first', 'x'.repeat(AT_MOST + 1)];
  }

  @Command('LATER')
  async later(): Promise<LineReply> {
    return 'x'.repeat(AT_MOST + 1);
  }

  @Command('REJECTED')
  rejected(): LineReply {
    throw new Error('x'.repeat(AT_MOST));
  }
}

describe('An Observable that is ahead of its client', () => {
  it('is told up to the limit and then fails, also when it never ends', async () => {
    const options = { maxEmittedReplies: 1_000 };
    const server = await prepareLineApplication([StrangeController], [], undefined, options);
    const failures: unknown[] = [];
    server.on('handlerError', (_, line, error) => failures.push([line, error]));
    const told = await talk(server, 'ENDLESS', 'RANGE');
    expect(told.filter((line) => line === 'again')).toHaveLength(1_000);
    expect(told.slice(1_000)).toEqual([
      FAILED,
      ...Array.from({ length: 100 }, (_, index) => String(index + 1)),
    ]);
    expect(failures).toEqual([['ENDLESS', expect.objectContaining({ code: 'ERR_LINE_BACKLOG' })]]);
  });

  it('is let go of, while others are served', async () => {
    const { connect, server } = await startLineApplication([StrangeController, EchoController], {
      maxEmittedReplies: 50_000,
    });
    const failed = new Promise<void>((resolve) => {
      server.on('handlerError', () => resolve());
    });
    const [client, other] = [await connect(), await connect()];
    client.socket.pause();
    client.send('FAST\n');
    await expect.poll(() => subscriptions).toBe(1);
    expect(await other.send('PING\n').line()).toBe('PONG');
    await expect.poll(() => isSubscribed).toBe(false);
    client.socket.resume();
    await failed;
    client.send('PING\n');
    while ((await client.line()) !== FAILED);
    expect(await client.line()).toBe('PONG');
  });

  it('may emit Observables that wait, which are counted, too', async () => {
    const options = { maxEmittedReplies: 5 };
    const server = await prepareLineApplication([StrangeController], [], undefined, options);
    const failed = new Promise<unknown>((resolve) => {
      server.on('disconnection', (_, reason) => resolve(reason));
    });
    const { LineConversation } = await import('../../src/line-transport/testing/index.js');
    const client = new LineConversation(server).send('NESTED');
    expect(await client.next()).toBe('inner');
    client.disconnect();
    expect(await failed).toBe('reset');
  });
});

describe('A line of a reply', () => {
  it.each(['HUGE', 'HUGER', 'PARTS', 'LATER'])(
    'that is too long is an error of its handler, whole: %s',
    async (command) => {
      const server = await prepareLineApplication([StrangeController, EchoController]);
      const failures: unknown[] = [];
      server.on('handlerError', (_, line, error) => failures.push([line, error]));
      expect(await talk(server, command, 'PING')).toEqual([FAILED, 'PONG']);
      expect(failures).toEqual([[command, expect.objectContaining({ code: 'ERR_LINE_REPLY' })]]);
    },
  );

  it('may have 16 MiB', async () => {
    const server = await prepareLineApplication([StrangeController]);
    const [line] = await talk(server, 'LARGE');
    expect(line).toHaveLength(AT_MOST);
  });

  it('tells nothing of a failure, however much it says', async () => {
    const server = await prepareLineApplication([StrangeController, EchoController]);
    server.on('handlerError', () => undefined);
    expect(await talk(server, 'REJECTED', 'PING')).toEqual([FAILED, 'PONG']);
  });
});
