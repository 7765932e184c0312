/** How lines become bytes: what was said before them, on this connection or on another, changes none. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Writable } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineWriter } from './line-writer.js';

/** What is written, chunk by chunk. */
class MemoryStream extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.chunks.push(chunk);
    callback();
  }

  get text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

/** What is written, chunk by chunk, as far as its reader takes it. */
class SlowStream extends Writable {
  readonly chunks: Buffer[] = [];
  #taken: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 65_536 });
  }

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.chunks.push(chunk);
    this.#taken = callback;
  }

  /** Takes what was written last. @returns whether there was anything */
  take(): boolean {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
    return taken !== undefined;
  }
}

/** A writer whose client reads when it is told to. */
function openSlow(): { stream: SlowStream; writer: LineWriter; takeAll: () => Promise<string> } {
  const stream = new SlowStream();
  const writer = new LineWriter(stream);
  stream.on('drain', () => writer.unblock());
  const takeAll = async (): Promise<string> => {
    while (stream.take()) await nextTurn();
    return Buffer.concat(stream.chunks).toString();
  };
  return { stream, writer, takeAll };
}

describe('While the system has not taken what was written', () => {
  it('short texts gather, and leave in one write with the bytes between them', async () => {
    const { stream, writer, takeAll } = openSlow();
    writer.write('first');
    writer.flush();
    for (let count = 0; count < 1_000; count++) {
      writer.write(`${count} ü`);
      writer.flush();
      writer.writeBytes(Buffer.of(0xff));
      writer.flush();
    }
    const said = Array.from({ length: 1_000 }, (_, count) => [
      Buffer.from(`${count} ü\r\n`),
      Buffer.of(0xff),
    ]);
    await takeAll();
    expect(Buffer.concat(stream.chunks)).toEqual(
      Buffer.concat([Buffer.from('first\r\n'), ...said.flat()]),
    );
    expect(stream.chunks.filter(({ length }) => length > 0)).toHaveLength(2);
  });

  it('what waits is bytes, and not the thousand texts that it was made of', async () => {
    const waited: unknown[] = [];
    let take: () => void = () => undefined;
    const stream = new Writable({
      decodeStrings: false,
      highWaterMark: 100_000,
      write(_chunk, _encoding, callback) {
        take = callback;
      },
      writev(chunks, callback) {
        waited.push(...chunks.map(({ chunk }: { chunk: unknown }) => chunk));
        callback();
      },
    });
    const writer = new LineWriter(stream);
    for (let count = 0; count < 3; count++) writer.write('x'.repeat(20_000));
    take();
    await nextTurn();
    expect(waited).toEqual([expect.any(Buffer), expect.any(Buffer)]);
  });

  it('an end lets nothing be lost, and nothing be said after it', async () => {
    const { stream, writer, takeAll } = openSlow();
    for (const text of ['first', 'second']) {
      writer.write(text);
      writer.flush();
    }
    writer.end();
    writer.writeBytes(Buffer.of(0xff));
    writer.write('third');
    expect(await takeAll()).toBe('first\r\nsecond\r\n');
    expect(stream.writableFinished).toBe(true);
  });

  it('whoever goes hurts nobody', async () => {
    const { stream, writer } = openSlow();
    stream.on('error', () => undefined);
    for (const text of ['first', 'second']) {
      writer.write(text);
      writer.flush();
    }
    stream.destroy(new Error('gone'));
    writer.write('third');
    writer.flush();
    await nextTurn();
    expect(writer.isOpen).toBe(false);
  });
});

function open(): { stream: MemoryStream; writer: LineWriter } {
  const stream = new MemoryStream();
  return { stream, writer: new LineWriter(stream) };
}

/** A line as it is to arrive. */
function arrived(text: string): string {
  return `${text.replace(/[\r\n\0]+/g, ' ')}\r\n`;
}

const text = fc.oneof(
  fc.constantFrom(
    '',
    'JAM 06:14:20',
    'jaméé',
    '時間',
    '\u{1f550}',
    'a\r\nb',
    'a\0\n\rb',
    '\x7f\x80',
    'ÿ',
  ),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('x'.repeat(512), 'x'.repeat(513), 'é'.repeat(600), 'x\n'.repeat(9_000)),
);

describe('LineWriter', () => {
  it('writes ASCII and other text of one turn as one piece of UTF-8', () => {
    const { stream, writer } = open();
    for (const line of ['ascii', 'wäktu', 'ascii', '時間', 'ÿ']) writer.write(line);
    writer.flush();
    expect(stream.chunks).toEqual([Buffer.from('ascii\r\nwäktu\r\nascii\r\n時間\r\nÿ\r\n')]);
  });

  it('writes ASCII after other text, and other text after ASCII, in turns of their own', () => {
    const { stream, writer } = open();
    for (const line of ['é', 'ascii', 'é', 'ascii']) {
      writer.write(line);
      writer.flush();
    }
    expect(stream.chunks.map(String)).toEqual(['é\r\n', 'ascii\r\n', 'é\r\n', 'ascii\r\n']);
  });

  it('writes any lines as they are, again and again, on any connections', () => {
    const said = fc.tuple(text, fc.nat(2), fc.boolean());
    fc.assert(
      fc.property(fc.array(said, { maxLength: 40 }), (lines) => {
        const open3 = [open(), open(), open()] as const;
        const expected = ['', '', ''];
        for (const [line, which, isFlushed] of lines) {
          const { writer } = open3[which as 0];
          expect(writer.write(line)).toBe(arrived(line).slice(0, -2));
          expected[which] += arrived(line);
          if (isFlushed) writer.flush();
        }
        for (const { writer } of open3) writer.flush();
        expect(open3.map(({ stream }) => stream.text)).toEqual(expected);
      }),
    );
  });

  it('writes no half of a surrogate pair: it becomes U+FFFD, and the rest of the turn stays', () => {
    const { stream, writer } = open();
    for (const line of ['ascii', '\ud83d', '\udd50', 'wäktu']) writer.write(line);
    writer.flush();
    expect(stream.text).toBe('ascii\r\n\ufffd\r\n\ufffd\r\nwäktu\r\n');
  });

  it('makes one line of a text with line ends in it, each time it is said', () => {
    const { stream, writer } = open();
    for (let time = 0; time < 3; time++) expect(writer.write('a\r\nJAM\0b\n')).toBe('a JAM b ');
    expect(writer.write('a JAM b ')).toBe('a JAM b ');
    writer.flush();
    expect(stream.text).toBe('a JAM b \r\n'.repeat(4));
  });

  it('sends bytes that are no line in their place', () => {
    const { stream, writer } = open();
    writer.write('é');
    writer.writeBytes(Buffer.from([0xff, 0xfc, 0x06]));
    writer.write('ascii');
    writer.flush();
    const expected = [
      Buffer.from('é\r\n'),
      Buffer.from([0xff, 0xfc, 0x06]),
      Buffer.from('ascii\r\n'),
    ];
    expect(Buffer.concat(stream.chunks)).toEqual(Buffer.concat(expected));
  });

  it('writes what a turn says when the turn is over, and all of it once', async () => {
    const { stream, writer } = open();
    writer.write('one');
    writer.flushSoon();
    writer.write('two');
    writer.flushSoon();
    expect(stream.chunks).toEqual([]);
    await nextTurn();
    expect(stream.chunks.map(String)).toEqual(['one\r\ntwo\r\n']);
  });

  it('does not wait for the end of a turn that says very much', () => {
    const { stream, writer } = open();
    for (let line = 0; line < 10_000; line++) writer.write('JAM 06:14:20');
    expect(stream.text.length).toBeGreaterThan(100_000);
    writer.flush();
    expect(stream.text).toBe('JAM 06:14:20\r\n'.repeat(10_000));
  });

  it('says nothing any more once the stream has ended', () => {
    const { stream, writer } = open();
    writer.write('last');
    writer.end();
    writer.write('too late');
    writer.flush();
    expect(stream.text).toBe('last\r\n');
    expect(writer.isOpen).toBe(false);
  });
});

describe('To a client that reads slowly a LineWriter', () => {
  const HUGE = 'é'.repeat(500_000);

  it('hands a huge line in pieces, so that it is seen how much is taken', async () => {
    const { stream, writer, takeAll } = openSlow();
    writer.write(HUGE);
    const [waiting, taken] = [writer.waiting, writer.taken];
    expect(waiting).toBe(Buffer.byteLength(`${HUGE}\r\n`));
    expect(writer.isBlocked).toBe(true);
    stream.take();
    await nextTurn();
    expect(writer.taken).toBeGreaterThan(taken);
    expect(writer.waiting).toBe(waiting - 65_536);
    expect(await takeAll()).toBe(`${HUGE}\r\n`);
    expect(Math.max(...stream.chunks.map((chunk) => chunk.length))).toBe(65_536);
    expect({ waiting: writer.waiting, isBlocked: writer.isBlocked }).toEqual({
      waiting: 0,
      isBlocked: false,
    });
  });

  it('says everything in order, whatever is said meanwhile, and ends behind it', async () => {
    const { stream, writer, takeAll } = openSlow();
    const lines = [HUGE, 'short', 'x'.repeat(20_000), HUGE, 'last'];
    for (const line of lines) {
      writer.write(line);
      writer.flushSoon();
      await nextTurn();
    }
    writer.end();
    expect(writer.isOpen).toBe(false);
    expect(stream.writableEnded).toBe(false);
    writer.write('too late');
    expect(await takeAll()).toBe([...lines, ''].join('\r\n'));
    expect(stream.writableFinished).toBe(true);
  });

  it('lets those who wait for it go on when the rest fits into the stream, and not before', async () => {
    const { stream, writer, takeAll } = openSlow();
    writer.write(HUGE);
    const happened: string[] = [];
    const read = writer.untilRead().then(() => happened.push('read'));
    while (writer.waiting > 2 * 65_536) {
      stream.take();
      await nextTurn();
    }
    happened.push('there is more than fits');
    await takeAll();
    await read;
    expect(happened).toEqual(['there is more than fits', 'read']);
    expect(writer.waiting).toBe(0);
  });

  it('drops what it kept when the client has gone', async () => {
    const { stream, writer } = openSlow();
    stream.on('close', () => writer.unblock());
    writer.write(HUGE);
    writer.end();
    const read = writer.untilRead();
    stream.destroy();
    await read;
    expect(writer.waiting).toBe(stream.writableLength);
    expect(stream.chunks).toHaveLength(1);
  });

  it('keeps many short lines in few pieces', async () => {
    const { stream, writer, takeAll } = openSlow();
    writer.write('x'.repeat(65_536));
    for (let line = 0; line < 30_000; line++) {
      writer.write('');
      writer.flushSoon();
      if (line % 1_000 === 0) await nextTurn();
    }
    expect(await takeAll()).toBe(`${'x'.repeat(65_536)}\r\n${'\r\n'.repeat(30_000)}`);
    expect(stream.chunks.length).toBeLessThan(10);
  });
});
