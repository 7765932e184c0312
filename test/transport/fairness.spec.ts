/** A client that sends without end has its turns, and so has everyone else; told by what is served when, not by the clock. */
import { Duplex, Readable } from 'node:stream';
import { Controller } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  CLOSE,
  Command,
  type LineContext,
  type LineReply,
  type LineServer,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { startLineApplication } from '../support/line-application.js';
import type { TestClient } from '../support/line-client.js';

/** More than are told in a second. */
const ROWS = 2_000_000;

@Controller()
class FloodController {
  /** Numbers each connection's lines. */
  @Command('COUNT')
  count(@Ctx() { session }: LineContext<{ count: number }>): LineReply {
    session.count = (session.count ?? 0) + 1;
    return session.count;
  }

  /** Takes four milliseconds of the processor. */
  @Command('BURN')
  burn(): LineReply {
    for (const until = performance.now() + 4; performance.now() < until;);
    return 'burnt';
  }

  @Command('TIME')
  time(): LineReply {
    return '12:00:00';
  }

  @Command('QUIT')
  quit(): LineReply {
    return CLOSE;
  }
}

/** Calls back when so many lines of the flood have been served. */
function afterLines(server: LineServer, count: number, then: () => void): void {
  let served = 0;
  server.on('request', (_, line) => {
    if (line === 'COUNT' && ++served === count) then();
  });
}

/** How much of the flood has been served when the line of another is. */
function floodBeforeTime(server: LineServer): Promise<number> {
  let served = 0;
  return new Promise((resolve) => {
    server.on('request', (_, line) => {
      if (line === 'COUNT') served++;
      if (line === 'TIME') resolve(served);
    });
  });
}

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, index) => String(index + 1));
}

async function linesOf(client: TestClient): Promise<string[]> {
  return (await client.transcript()).trimEnd().split('\r\n');
}

describe.each([
  ['directly', 'auto', 'direct'],
  ['through the pipeline', 'pipeline', 'pipeline'],
] as const)('While lines are served %s', (_, dispatch, way) => {
  async function start() {
    const application = await startLineApplication([FloodController], { dispatch });
    const ways = application.server.commands.map((command) => command.dispatch);
    expect(new Set(ways)).toEqual(new Set([way]));
    return application;
  }

  it.each([1, 8])(
    'who asks once is answered long before %i floods are, which are answered whole',
    async (floods) => {
      const { connect, server } = await start();
      const count = 240_000 / floods;
      const other = await connect();
      const flooding = await Promise.all(Array.from({ length: floods }, connect));
      afterLines(server, 1_000, () => other.send('TIME\n'));
      const before = floodBeforeTime(server);
      const toldAfter = other.line().then((line) => {
        expect(line).toBe('12:00:00');
        return server.stats().lines;
      });
      for (const flood of flooding) flood.send(`${'COUNT\n'.repeat(count)}QUIT\n`);
      expect(await before).toBeLessThan((count * floods) / 2);
      expect(await toldAfter).toBeLessThan((count * floods) / 2);
      for (const flood of flooding) expect(await linesOf(flood)).toEqual(numbers(count));
    },
  );

  it('who asks once is answered long before a flood that comes in one piece', async () => {
    const { server } = await start();
    const count = 200_000;
    const [flood, other] = [new LineConversation(server), new LineConversation(server)];
    afterLines(server, 1_000, () => other.send('TIME'));
    const before = floodBeforeTime(server);
    flood.write('COUNT\n'.repeat(count)).end();
    expect(await other.next()).toBe('12:00:00');
    expect(server.stats().lines).toBeLessThan(count / 2);
    expect(await before).toBeLessThan(count / 2);
  });

  it('a few lines that compute for long are served before others have their turn, not dozens', async () => {
    const { connect, server } = await start();
    const [flood, other] = [await connect(), await connect()];
    let burnt = 0;
    const before = new Promise<number>((resolve) => {
      server.on('request', (_connection, line) => {
        if (line === 'TIME') resolve(burnt);
        else if (++burnt === 1) other.send('TIME\n');
      });
    });
    flood.send('BURN\n'.repeat(60));
    expect(await before).toBeLessThan(20);
    flood.socket.destroy();
  });

  it('floods go on side by side: none is done before another has begun', async () => {
    const { connect, server } = await start();
    const count = 60_000;
    const flooding = await Promise.all(Array.from({ length: 4 }, connect));
    const served = new Map<number, number>();
    const begunByTheFirstEnd = new Promise<number>((resolve) => {
      server.on('request', ({ id }, line) => {
        served.set(id, (served.get(id) ?? 0) + 1);
        if (line === 'QUIT') resolve(served.size);
      });
    });
    for (const flood of flooding) flood.send(`${'COUNT\n'.repeat(count)}QUIT\n`);
    expect(await begunByTheFirstEnd).toBe(flooding.length);
    for (const flood of flooding) expect(await linesOf(flood)).toEqual(numbers(count));
  });

  it('what has to wait for its turn is served when its client has already closed its side', async () => {
    const { connect, server } = await start();
    const count = 100_000;
    const flood = await connect();
    flood.end('COUNT\n'.repeat(count));
    expect(await linesOf(flood)).toEqual(numbers(count));
    expect(server.stats().lines).toBe(count);
  });
});

/** A client that takes whatever it is told, at once. */
class Taker extends Duplex {
  override _read(): void {
    // It says what it is made to say.
  }

  override _write(_chunk: unknown, _encoding: string, callback: () => void): void {
    callback();
  }
}

describe('A stream whose replies are all at hand', () => {
  it.each([
    ['an AsyncIterable', (rows: () => Iterable<string>) => Readable.from(rows())],
    ['an async generator', (rows: () => Iterable<string>) => eachOf(rows())],
    ['an Observable of such', (rows: () => Iterable<string>) => of(eachOf(rows()))],
  ])('leaves others their turns, also while its client takes them at once: %s', async (_, make) => {
    let told = 0;
    function* rows(): Iterable<string> {
      while (told < ROWS) yield `row ${++told}`;
    }
    const { connect, server } = await startLineApplication([FloodController]);
    server.addHandler('ROWS', () => Promise.resolve(make(rows)));
    const other = await connect();
    other.send('TIME\n');
    expect(await other.line()).toBe('12:00:00');
    const client = new Taker();
    server.serve(client);
    client.push('ROWS\n');
    await expect.poll(() => told).toBeGreaterThan(0);
    other.send('TIME\n');
    expect(await other.line()).toBe('12:00:00');
    expect(told).toBeLessThan(ROWS);
    client.destroy();
  });
});

async function* eachOf(rows: Iterable<string>): AsyncGenerator<string> {
  yield* rows;
}
