import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ConversationHost } from './conversation-host.js';
import { LineConnection } from './line-connection.js';
import { LineContext } from './line-context.js';
import { ENGLISH } from './line-errors.js';
import type { EndReason } from './line-events.js';
import { CLOSE, ErrorLine, LateAnswer } from './line-reply.js';
import { lineText } from './line-text.js';

/** The server's end of a connection, without a network. */
class MemorySocket extends Duplex {
  said = '';
  finished = false;

  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.said += chunk.toString('latin1');
    callback();
  }

  override _final(callback: () => void): void {
    this.finished = true;
    callback();
  }
}

const MAX = 16;

function open(options: Partial<ConversationHost> = {}): {
  socket: MemorySocket;
  connection: LineConnection;
  over: Promise<EndReason>;
} {
  const socket = new MemorySocket();
  let setOver: (reason: EndReason) => void;
  const over = new Promise<EndReason>((resolve) => {
    setOver = resolve;
  });
  const connection = new LineConnection(
    1,
    socket,
    { remoteAddress: '::1', remotePort: 1 },
    {
      maxLineBytes: MAX,
      maxPendingBytes: 65_536,
      maxProtocolErrors: 0,
      maxEmittedReplies: 1_000,
      lineGraceMs: 0,
      lineTimeoutMs: 0,
      writeTimeoutMs: 0,
      idleTimeoutMs: 0,
      keepAliveMs: 0,
      words: ENGLISH,
      welcome: () => undefined,
      isWhole: (line) => ['PING', 'SLOW', 'QUIT'].includes(line),
      answer: (from, { bytes, start, end }) => {
        const line = lineText(bytes, start, end);
        if (line === 'PING') return 'PONG';
        if (line === 'SLOW') return new LateAnswer(new LineContext(line, from), nextTurn('SLOW'));
        return line === 'QUIT' ? CLOSE : new ErrorLine('?', 'unknownCommand');
      },
      errorLine: () => new ErrorLine('FAILED', 'failed'),
      timeoutMsOf: () => 0,
      isSilent: () => false,
      measure: () => undefined,
      onServed: () => undefined,
      onAnswered: () => undefined,
      onReceived: () => undefined,
      onSent: () => undefined,
      onReply: () => undefined,
      onProtocolError: () => undefined,
      onPaused: () => undefined,
      onHeld: () => false,
      onOver: (_, reason) => setOver(reason),
      onClosed: () => undefined,
      ...options,
    },
  );
  connection.open();
  return { socket, connection, over };
}

/** What a client must be told, from the protocol's rules alone. */
function model(sent: string): string {
  const lines = sent.split('\n');
  const last = lines.pop() ?? '';
  if (last !== '') lines.push(last);
  let told = '';
  for (const line of lines) {
    const text = line.trim();
    if (line.replace(/\r$/, '').length > MAX) told += 'LINE TOO LONG. At most 16 bytes.\r\n';
    else if (text === 'QUIT') return told;
    else told += `${text === 'PING' ? 'PONG' : text === 'SLOW' ? 'SLOW' : '?'}\r\n`;
  }
  return told;
}

const script = fc
  .array(
    fc.constantFrom(
      'PING',
      'PING',
      'SLOW',
      'QUIT',
      'ping',
      ' ',
      '\t',
      '\r',
      '\n',
      '\n',
      '\n',
      '\r\n',
      'x'.repeat(MAX),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''));

describe('A conversation', () => {
  it('has the same transcript however its bytes are cut, and it is the one the protocol says', async () => {
    await fc.assert(
      fc.asyncProperty(script, fc.array(fc.nat(12)), async (sent, cuts) => {
        const { socket, over } = open();
        let rest = sent;
        for (const cut of cuts) {
          socket.push(rest.slice(0, cut), 'latin1');
          rest = rest.slice(cut);
          if (cut % 3 === 0) await nextTurn();
        }
        socket.push(rest, 'latin1');
        socket.push(null);
        await over;
        expect(socket.said).toBe(model(sent));
        expect(socket.finished).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('is over with "error" when the socket fails in an unknown way', async () => {
    const { socket, over } = open();
    socket.destroy(new Error('the cable is cut'));
    expect(await over).toBe('error');
  });

  it.each(['ECONNRESET', 'EPIPE'])('is over with "reset" on %s', async (code) => {
    const { socket, over } = open();
    socket.destroy(Object.assign(new Error(code), { code }));
    expect(await over).toBe('reset');
  });

  it('is over with "error" when the socket vanishes', async () => {
    const { socket, over } = open();
    socket.destroy();
    expect(await over).toBe('error');
  });

  it('reports, but tells nobody of, a handler that fails after the client has gone', async () => {
    let fail = (): void => undefined;
    const failed = new Promise<string>((_, reject) => {
      fail = () => reject(new Error('too late'));
    });
    const errorLine = vi.fn(() => undefined);
    const { socket, over } = open({
      answer: (from) => new LateAnswer(new LineContext('PING', from), failed),
      errorLine,
    });
    socket.push('PING\n');
    await nextTurn();
    socket.destroy(Object.assign(new Error('cut'), { code: 'ECONNRESET' }));
    await over;
    fail();
    await nextTurn();
    expect(errorLine).toHaveBeenCalledOnce();
    expect(socket.said).toBe('');
  });

  it('ends once', async () => {
    const { socket, connection, over } = open();
    connection.end('quit', 'first');
    connection.end('idle', 'second');
    socket.push(null);
    expect(await over).toBe('quit');
    expect(socket.said).toBe('first\r\n');
  });

  it('ends after so many lines in a row that are none of the protocol; one that is rejected is of it', async () => {
    const { socket, over } = open({
      maxProtocolErrors: 2,
      answer: (_, { bytes, start, end }) =>
        bytes.toString('latin1', start, end) === 'NO'
          ? new ErrorLine('ERROR: no', 'rejected')
          : new ErrorLine('?', 'unknownCommand'),
    });
    socket.push('x\nNO\nx\nNO\nx\nx\nx\n');
    expect(await over).toBe('tooManyErrors');
    expect(socket.said.split('\r\n')).toEqual([
      '?',
      'ERROR: no',
      '?',
      'ERROR: no',
      '?',
      '?',
      'TOO MANY ERRORS.',
      '',
    ]);
  });

  it('is read again when what it had not read is read, although no drain tells of it', async () => {
    let isTooMuch = true;
    const { socket, connection } = open({ onHeld: () => isTooMuch });
    socket.push('PING\n');
    await vi.waitFor(() => expect(socket.isPaused()).toBe(true));
    connection.checkLimits(1);
    expect(socket.isPaused()).toBe(true);
    isTooMuch = false;
    connection.checkLimits(2);
    expect(socket.isPaused()).toBe(false);
  });

  it('ends for an unfinished line, whose time has only stood still while it was not read', async () => {
    let isTooMuch = false;
    const { socket, connection, over } = open({ lineTimeoutMs: 100, onHeld: () => isTooMuch });
    socket.push('PI');
    await nextTurn();
    connection.checkLimits(0);
    connection.checkLimits(50);
    isTooMuch = true;
    socket.push('x');
    await vi.waitFor(() => expect(socket.isPaused()).toBe(true));
    connection.checkLimits(500);
    expect(connection.over).toBe(false);
    isTooMuch = false;
    connection.checkLimits(549);
    expect(connection.over).toBe(false);
    connection.checkLimits(550);
    expect(await over).toBe('lineTimeout');
    expect(socket.said).toBe('TIMED OUT.\r\n');
  });

  it('is not paused while its server closes: every line that has arrived is answered', async () => {
    const { socket, connection, over } = open({ onHeld: () => true });
    for (const line of ['PING\n', 'PING\n', 'PING\n']) socket.push(line);
    connection.drain();
    expect(await over).toBe('shutdown');
    expect(socket.said).toBe('PONG\r\nPONG\r\nPONG\r\n');
  });

  it('serves no further line once its socket is gone, although it has not heard so yet', async () => {
    const served: string[] = [];
    const { socket, over } = open({
      answer: (_, { bytes, start, end }) => {
        const line = lineText(bytes, start, end);
        served.push(line);
        if (line === 'CUT') socket.destroy(Object.assign(new Error('cut'), { code: 'EPIPE' }));
        return line === 'QUIT' ? CLOSE : line;
      },
    });
    socket.push('PING\nCUT\nQUIT\nPING\n');
    expect(await over).toBe('reset');
    expect(served).toEqual(['PING', 'CUT']);
  });

  it('aborts the signal of a stream whose client goes just when it says something', async () => {
    let context: LineContext | undefined;
    const returned = vi.fn(() => Promise.resolve({ done: true, value: undefined }));
    const { socket, over } = open({
      answer: (from) => {
        context = new LineContext('PING', from);
        const next = (): Promise<IteratorResult<string>> => {
          socket.destroy(Object.assign(new Error('cut'), { code: 'ECONNRESET' }));
          return Promise.resolve({ done: false, value: 'one' });
        };
        const replies = { next, return: returned };
        return new LateAnswer(context, { [Symbol.asyncIterator]: () => replies });
      },
    });
    socket.push('PING\n');
    expect(await over).toBe('reset');
    expect(context?.signal.reason).toMatchObject({ code: 'ERR_LINE_CLOSED' });
    expect(returned).toHaveBeenCalledOnce();
  });

  it('answers a timing mark only until it has ended', async () => {
    const { socket, over } = open();
    socket.push(Buffer.from('QUIT\n\xff\xfd\x06', 'latin1'));
    socket.push(null);
    await over;
    expect(socket.said).toBe('');
  });
});

describe('With time stopped', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('an unfinished command is answered after the line grace, not before', async () => {
    const { socket } = open({ lineGraceMs: 200 });
    socket.push('PING');
    await nextTurn();
    vi.advanceTimersByTime(199);
    await turns();
    expect(socket.said).toBe('');
    vi.advanceTimersByTime(1);
    await turns();
    expect(socket.said).toBe('PONG\r\n');
  });

  it('each byte begins the line grace anew', async () => {
    const { socket } = open({ lineGraceMs: 200 });
    socket.push('PING');
    await nextTurn();
    vi.advanceTimersByTime(150);
    socket.push(' ');
    await nextTurn();
    vi.advanceTimersByTime(150);
    await turns();
    expect(socket.said).toBe('');
    vi.advanceTimersByTime(50);
    await turns();
    expect(socket.said).toBe('PONG\r\n');
  });

  it('a line whose rest is already there when the grace runs out is not cut in two', async () => {
    const { socket } = open({ lineGraceMs: 200 });
    socket.push('PING');
    await nextTurn();
    vi.advanceTimersByTime(200); // the timer fires, then the kernel is polled:
    socket.push('X\n');
    await turns();
    expect(socket.said).toBe('?\r\n');
  });

  it('an unfinished command is answered once although the server closes when its grace runs out', async () => {
    for (const before of [0, 1, 2]) {
      const { socket, connection, over } = open({ lineGraceMs: 200 });
      socket.push('PING');
      await nextTurn();
      if (before === 0) vi.advanceTimersByTime(200);
      connection.drain();
      if (before === 1) vi.advanceTimersByTime(200);
      await nextTurn();
      if (before === 2) vi.advanceTimersByTime(200);
      expect(await over).toBe('shutdown');
      expect(socket.said).toBe('PONG\r\n');
    }
  });

  it('a client that keeps its side open is let go of a second after its last byte', async () => {
    const { socket, over } = open();
    socket.push('QUIT\n');
    expect(await over).toBe('quit');
    vi.advanceTimersByTime(900);
    socket.push('more');
    await turns();
    vi.advanceTimersByTime(900);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(100);
    expect(socket.destroyed).toBe(true);
  });

  it('a client that never stops sending after the end is let go of after ten seconds', async () => {
    const { socket, over } = open();
    socket.push('QUIT\n');
    await over;
    for (let half = 0; half < 19; half++) {
      vi.advanceTimersByTime(500);
      socket.push('more');
      await turns();
    }
    expect(socket.destroyed).toBe(false);
    for (let half = 0; half < 3; half++) {
      vi.advanceTimersByTime(500);
      socket.push('more');
      await turns();
    }
    expect(socket.destroyed).toBe(true);
  });

  it('a client is idle from when it was last looked at after its last byte, and not a moment earlier', async () => {
    const { socket, connection, over } = open({ idleTimeoutMs: 1_000 });
    connection.checkLimits(0);
    connection.checkLimits(500);
    socket.push('PING\n');
    await turns();
    connection.checkLimits(750);
    connection.checkLimits(1_749);
    expect(socket.writableEnded).toBe(false);
    connection.checkLimits(1_750);
    expect(await over).toBe('idle');
    expect(socket.said).toBe('PONG\r\nTIMED OUT.\r\n');
  });
});

/** Lets what is ready happen: a few turns of the event loop. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await nextTurn();
}
