/** What a client asks and which reply is whose. */
import { Controller } from '@nestjs/common';
import { firstValueFrom, lastValueFrom, type Observable, share, tap, toArray } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Args, Command, type LineClient, type LineReply } from '../../src/line-transport/index.js';
import { startLineApplication } from '../support/line-application.js';
import { converse, lineClient, nextOf } from '../support/raw-server.js';
import { AnswersController, EchoController, FallbackController } from './controllers.js';

async function clientOf(controller: typeof EchoController | typeof FallbackController) {
  const { port, server } = await startLineApplication([controller]);
  return { client: lineClient({ port }), server };
}

/** Asks, and listens from now on. */
function ask(client: LineClient, command: string, data: unknown = ''): Promise<string> {
  return firstValueFrom(client.send<string>(command, data));
}

/** How it ends: `undefined` if well, else the error. */
function faultOf(reply: Observable<unknown> | Promise<unknown>): Promise<unknown> {
  const end = reply instanceof Promise ? reply : lastValueFrom(reply);
  return end.then(
    () => undefined,
    (error: unknown) => error,
  );
}

afterEach(() => {
  vi.useRealTimers();
});

describe('A request', () => {
  it('connects, is one line, and its reply is one emission', async () => {
    const { client } = await clientOf(EchoController);
    const reply = client.send<string>('PING', '').pipe(toArray());
    expect(await lastValueFrom(reply)).toEqual(['PONG']);
  });

  it('is sent anew by each subscription, and by none if there is none', async () => {
    const { client, server } = await clientOf(EchoController);
    const next = client.send<string>('NEXT', '');
    await client.connect();
    expect(await firstValueFrom(next)).toBe('1');
    expect(await firstValueFrom(next)).toBe('2');
    expect(server.stats().lines).toBe(2);
  });

  it('gets its own reply, however many are under way and however slow one is', async () => {
    const { client } = await clientOf(FallbackController);
    const requests = Array.from({ length: 5_000 }, (_, number) => `request ${number}`);
    const replies = await Promise.all(requests.map((request) => ask(client, request)));
    expect(replies).toEqual(requests.map((request) => `what is ${request}?`));
  });

  it('does not wait for the reply to another, and all of a turn leave in one write', async () => {
    const { client, peer } = await converse();
    const writes = vi.spyOn(client.unwrap(), '_writev');
    const replies = Promise.all([ask(client, 'A'), ask(client, 'B'), ask(client, 'C')]);
    expect(await peer.lines(3)).toEqual(['A', 'B', 'C']);
    expect(writes).toHaveBeenCalledOnce();
    peer.send('1\n2\r\n3\r\n');
    expect(await replies).toEqual(['1', '2', '3']);
  });

  it.each([
    ['', 'SAY'],
    ['a b', 'SAY a b'],
    [42, 'SAY 42'],
    [['a', 7, 'b'], 'SAY a 7 b'],
    [[], 'SAY'],
    [['a b', '', '"c', 'd"', 'e\nf'], 'SAY "a b" "" "\\"c" d" "e\\nf"'],
  ])('with the data %j is the line %j', async (data, line) => {
    const { client, peer } = await converse();
    const reply = ask(client, 'SAY', data);
    expect(await peer.line()).toBe(line);
    peer.send('said\n');
    expect(await reply).toBe('said');
  });

  it('with an array gives a command that takes words those words, whatever is in them', async () => {
    @Controller()
    class WordsController {
      @Command('WORDS', { args: 'words' })
      words(@Args() words: string[]): LineReply {
        return JSON.stringify(words);
      }

      @Command('SET', { args: ['key', 'value'] })
      set(@Args() named: object): LineReply {
        return JSON.stringify(named);
      }
    }

    const { port } = await startLineApplication([WordsController]);
    const client = lineClient({ port });
    const words = [
      'a b',
      '',
      '"',
      '\\',
      "it's",
      '\r\nQUIT',
      '\u0001',
      '\u2028',
      'Größe 大',
      '\\u0041',
    ];
    expect(JSON.parse(await ask(client, 'WORDS', words))).toEqual(words);
    expect(await ask(client, 'SET', ['a b', 7])).toBe('{"key":"a b","value":"7"}');
    expect(await ask(client, 'SET', ['a b'])).toBe('WRONG ARGUMENTS. Use SET <key> <value>.');
    expect(await ask(client, 'SET', 'a b')).toBe('{"key":"a","value":"b"}');
  });

  it.each([
    ['TIME\r\nQUIT', ''],
    ['TIME\n', ''],
    ['SAY', 'a\rb'],
    ['SAY', 'a\0'],
  ])('cannot be %j with %j, which is more than a line', async (command, data) => {
    const { client, peer } = await converse();
    expect(await faultOf(client.send(command, data))).toMatchObject({
      code: 'ERR_LINE_REQUEST',
      message: 'A request is one line: no CR, LF or NUL inside.',
    });
    expect(await faultOf(client.emit(command, data))).toMatchObject({ code: 'ERR_LINE_REQUEST' });
    await client.close();
    expect(await peer.transcript()).toBe('');
  });

  it.each([
    [{ cmd: 'TIME' }, '', 'The pattern of a request must be a string or a number.'],
    ['SAY', { a: 1 }, 'The data of a request must be a string, a number or an array of them.'],
    ['SAY', ['a', null], 'The data of a request must be an array of strings and numbers.'],
  ])('cannot be %j with %j, which is no text', async (command, data, message) => {
    const { client } = await converse();
    expect(await faultOf(client.send(command, data))).toMatchObject({ message });
  });

  it('is not written if too many wait already, and is again when they wait no more', async () => {
    const { client, peer } = await converse({ maxPendingRequests: 1 });
    const first = ask(client, 'A');
    await peer.line();
    expect(await faultOf(ask(client, 'B'))).toMatchObject({
      code: 'ERR_LINE_BUSY',
      message: '1 requests wait for replies already.',
    });
    peer.send('1\n');
    expect(await first).toBe('1');
    const third = ask(client, 'C');
    expect(await peer.line()).toBe('C');
    peer.send('3\n');
    expect(await third).toBe('3');
  });
});

describe('A reply', () => {
  it('is given as it came, blanks included, its line end not', async () => {
    const { client, peer } = await converse();
    const replies = Promise.all([ask(client, 'A'), ask(client, 'B'), ask(client, 'C')]);
    await peer.lines(3);
    peer.send('  wäktu \r\n').send('\r\n').send('the last').end();
    expect(await replies).toEqual(['  wäktu ', '', 'the last']);
  });

  it('may have several lines, of which each is emitted, and ends where isLastLine says', async () => {
    const { port } = await startLineApplication([AnswersController]);
    const asked: unknown[] = [];
    const client = lineClient({
      port,
      isLastLine: (line, index, request) => {
        asked.push([line, index, request]);
        return request !== 'LINES' || line === '';
      },
    });
    const lines = lastValueFrom(client.send('LINES', '').pipe(toArray()));
    expect(await ask(client, 'NUMBER')).toBe('42');
    expect(await lines).toEqual(['one', 'two', '']);
    expect(asked).toEqual([
      ['one', 0, 'LINES'],
      ['two', 1, 'LINES'],
      ['', 2, 'LINES'],
      ['42', 0, 'NUMBER'],
    ]);
  });

  it('that isLastLine fails on cuts the connection: nobody knows whose the rest is', async () => {
    const cause = new Error('a bug');
    const { client, peer } = await converse({
      isLastLine: () => {
        throw cause;
      },
    });
    const faults = Promise.all([faultOf(ask(client, 'A', 'secret')), faultOf(ask(client, 'B'))]);
    await peer.lines(2);
    peer.send('1\n2\n');
    const fault = {
      code: 'ERR_LINE_CLOSED',
      message: 'isLastLine failed on the reply to "A": the connection is cut.',
      cause,
    };
    expect(await faults).toMatchObject([fault, fault]);
    await peer.ended();
  });

  it('longer than the limit cuts the connection; one at the limit does not', async () => {
    const { client, peer, server } = await converse({ maxLineBytes: 4 });
    const first = ask(client, 'A');
    await peer.line();
    peer.send('1234\r\n');
    expect(await first).toBe('1234');
    const second = faultOf(ask(client, 'B'));
    await peer.line();
    peer.send('12345');
    expect(await second).toMatchObject({
      code: 'ERR_LINE_TOO_LONG',
      message: 'The server sent a line of more than 4 bytes: the connection is cut.',
    });
    await peer.ended();
    const third = ask(client, 'C');
    const again = await server.accept();
    expect(await again.line()).toBe('C');
    again.send('3\n');
    expect(await third).toBe('3');
  });

  it('loses the telnet commands in it, and a request for a timing mark is none', async () => {
    const { client, peer } = await converse();
    const reply = ask(client, 'A');
    await peer.line();
    peer.send(Buffer.from('\xff\xfd\x06\xff\xfb\x01one\r\n', 'latin1'));
    expect(await reply).toBe('one');
  });
});

describe('A reply that never comes', () => {
  it('cuts the connection after the same time again, and later requests have another', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, peer, server } = await converse({ requestTimeoutMs: 1_000 });
    const never = faultOf(ask(client, 'NEVER', 'secret'));
    await peer.line();
    vi.advanceTimersByTime(1_000);
    expect(await never).toMatchObject({ code: 'ERR_LINE_TIMEOUT' });
    const behind = faultOf(ask(client, 'BEHIND'));
    await peer.line();
    vi.advanceTimersByTime(999);
    expect(client.unwrap().destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await behind).toMatchObject({
      code: 'ERR_LINE_CLOSED',
      message: 'The reply to "NEVER" did not come within 2000 ms: the connection is cut.',
    });
    const later = ask(client, 'LATER');
    const again = await server.accept();
    expect(await again.line()).toBe('LATER');
    again.send('later\n');
    expect(await later).toBe('later');
  });
});

describe('A line without a reply', () => {
  it('is an error if it was never written', async () => {
    const { client, peer } = await converse();
    peer.socket.pause();
    peer.socket.on('error', () => undefined);
    const told = faultOf(lastValueFrom(client.emit('TELL', 'x'.repeat(50_000_000))));
    await new Promise((resolve) => setImmediate(resolve));
    await client.close();
    expect(await told).toMatchObject({ code: 'ERR_LINE_CLOSED' });
    peer.socket.destroy();
  });
});

describe('A reply that comes too late', () => {
  it('is an error to who asked, and reaches nobody else', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, peer } = await converse({ requestTimeoutMs: 1_000 });
    const late = faultOf(ask(client, 'SLOW', 'secret'));
    await peer.line();
    vi.advanceTimersByTime(999);
    const next = ask(client, 'NEXT');
    await peer.line();
    vi.advanceTimersByTime(1);
    expect(await late).toMatchObject({
      code: 'ERR_LINE_TIMEOUT',
      message: 'The reply to "SLOW" was not complete within 1000 ms.',
    });
    peer.send('slow\nnext\n');
    expect(await next).toBe('next');
  });

  it('is swallowed with all its lines that are still to come', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, peer } = await converse({
      requestTimeoutMs: 1_000,
      isLastLine: (line) => line === '.',
    });
    const heard: unknown[] = [];
    const reply = client.send('A', '').pipe(
      tap((line) => heard.push(line)),
      share(),
    );
    const fault = faultOf(reply);
    const firstLine = firstValueFrom(reply);
    await peer.line();
    peer.send('1\n');
    await firstLine;
    vi.advanceTimersByTime(999);
    const next = lastValueFrom(client.send('B', '').pipe(toArray()));
    await peer.line();
    vi.advanceTimersByTime(1);
    expect(await fault).toMatchObject({ code: 'ERR_LINE_TIMEOUT' });
    const push = nextOf(client, 'unsolicited');
    peer.send('2\n.\n3\n.\npushed\n');
    expect(await next).toEqual(['3', '.']);
    expect(await push).toEqual(['pushed']);
    expect(heard).toEqual(['1']);
  });

  it('does not exist without a limit, and no timer waits for it', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const { client, peer } = await converse({ requestTimeoutMs: 0 });
    const reply = ask(client, 'A');
    await peer.line();
    expect(vi.getTimerCount()).toBe(0);
    peer.send('1\n');
    expect(await reply).toBe('1');
  });
});

describe('A reply that nobody listens to any more', () => {
  it('reaches nobody else', async () => {
    const { client, peer } = await converse();
    const heard: unknown[] = [];
    const subscription = client.send('A', '').subscribe((line) => heard.push(line));
    await peer.line();
    subscription.unsubscribe();
    const next = ask(client, 'B');
    await peer.line();
    peer.send('1\n2\n');
    expect(await next).toBe('2');
    expect(heard).toEqual([]);
  });

  it('was never asked for if the request was let go before the connection was there', async () => {
    const { client, server } = await clientOf(EchoController);
    client.send('NEXT', '').subscribe().unsubscribe();
    expect(await ask(client, 'NEXT')).toBe('1');
    expect(server.stats().lines).toBe(1);
  });
});

describe('A line that no request waits for', () => {
  it('is an event, and never the reply to a later request', async () => {
    const { client, peer } = await converse();
    const greeting = nextOf(client, 'unsolicited');
    peer.send('220 ready\r\n');
    expect(await greeting).toEqual(['220 ready']);
    const reply = ask(client, 'A');
    await peer.line();
    peer.send('1\n');
    expect(await reply).toBe('1');
  });

  it('harms nothing without a listener', async () => {
    const { client, peer } = await converse();
    const status = nextOf(client, 'disconnection');
    peer.send('hello\n').end();
    expect(await status).toMatchObject([{ code: 'ERR_LINE_CLOSED' }]);
  });
});

describe('An emitted line', () => {
  it('is not written if too many are not taken yet, and is again when they are', async () => {
    const { client, peer } = await converse({ maxPendingRequests: 1 });
    peer.socket.pause();
    const first = lastValueFrom(client.emit('LOG', 'x'.repeat(20_000_000)));
    expect(await faultOf(client.emit('LOG', 'b'))).toMatchObject({
      code: 'ERR_LINE_BUSY',
      message: '1 lines wait to be taken already.',
    });
    peer.socket.resume();
    await first;
    await lastValueFrom(client.emit('LOG', 'c'));
  });

  it('leaves without a subscription, waits for no reply, and keeps its place', async () => {
    const { client, peer } = await converse();
    client.emit('LOG', 'a');
    const reply = ask(client, 'A');
    const written = lastValueFrom(client.emit('LOG', ['b', 1]));
    expect(await peer.lines(3)).toEqual(['LOG a', 'A', 'LOG b 1']);
    expect(await written).toBeUndefined();
    peer.send('1\n');
    expect(await reply).toBe('1');
  });

  it('is delivered before a close', async () => {
    const { client, peer } = await converse();
    await lastValueFrom(client.emit('QUIT', ''));
    const closed = client.close();
    expect(await peer.transcript()).toBe('QUIT\r\n');
    peer.end();
    await closed;
  });

  it('fails if it cannot be written', async () => {
    const { client, peer } = await converse();
    peer.socket.pause();
    const written = faultOf(client.emit('LOG', 'more than any buffer '.repeat(2_000_000)));
    peer.reset();
    expect(await written).toMatchObject({
      code: 'ERR_LINE_CLOSED',
      message: expect.stringContaining('was lost before the line was written'),
    });
  });

  it('that fails and that nobody looks at ends nothing', async () => {
    const client = lineClient({ port: 1 });
    client.emit('LOG', '');
    await expect(client.connect()).rejects.toMatchObject({ code: 'ERR_LINE_CONNECT' });
  });
});
