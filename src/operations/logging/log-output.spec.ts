import { once } from 'node:events';
import { createWriteStream, existsSync } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogOutput } from './log-output.js';

const LINE = `${'x'.repeat(1_023)}\n`;
const MEBIBYTE = 1_048_576;

function sayDropped(count: number): string {
  return `${count} lines dropped\n`;
}

/** Unlike `once()`, it does not fail with the stream. */
function closeOf(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.on('close', resolve);
  });
}

/** An output that has no reader yet, so full that it drops the next line. */
function fullOutput(): { stream: PassThrough; output: LogOutput } {
  const stream = new PassThrough();
  const output = new LogOutput(stream, sayDropped);
  while (stream.writableLength <= 4 * MEBIBYTE) output.write(LINE);
  return { stream, output };
}

describe('LogOutput', () => {
  it('writes lines as they are, in order', () => {
    const stream = new PassThrough({ encoding: 'utf8' });
    const output = new LogOutput(stream, sayDropped);
    output.write('one\n');
    output.write('two\n');
    expect(stream.read()).toBe('one\ntwo\n');
  });

  it('keeps lines for a slow reader and loses none of the first four mebibytes', async () => {
    const stream = new PassThrough();
    const output = new LogOutput(stream, sayDropped);
    for (let line = 0; line < 4_000; line++) output.write(LINE);
    stream.end();
    expect(await text(stream)).toBe(LINE.repeat(4_000));
  });

  it('holds no more for a reader that does not read, whatever is written', () => {
    const { stream, output } = fullOutput();
    const full = stream.writableLength;
    for (let line = 0; line < 10_000; line++) output.write(LINE);
    expect(stream.writableLength).toBe(full);
    expect(full).toBeLessThan(4.1 * MEBIBYTE);
  });

  it('says how many lines were dropped, where they are missing, before the next one', async () => {
    const { stream, output } = fullOutput();
    for (let line = 0; line < 5; line++) output.write('lost\n');
    const drained = once(stream, 'drain');
    const read = text(stream);
    await drained;
    output.write('next\n');
    output.write('last\n');
    stream.end();
    expect(await read).toMatch(/x\n5 lines dropped\nnext\nlast\n$/);
    expect(await read).not.toContain('lost');
  });

  it('counts anew each time lines were dropped', async () => {
    const { stream, output } = fullOutput();
    for (let line = 0; line < 3; line++) output.write('lost\n');
    const drained = once(stream, 'drain');
    stream.resume();
    await drained;
    stream.pause();
    while (stream.writableLength <= 4 * MEBIBYTE) output.write(LINE);
    output.write('lost\n');
    const read = text(stream);
    await once(stream, 'drain');
    output.write('next\n');
    stream.end();
    expect(await read).toMatch(/x\n1 lines dropped\nnext\n$/);
  });

  it('says at the end what was dropped last', async () => {
    const { stream, output } = fullOutput();
    output.write('lost\n');
    const read = text(stream);
    await output.flush();
    stream.end();
    expect(await read).toMatch(/x\n1 lines dropped\n$/);
  });

  it('says nothing of dropped lines when there are none', async () => {
    const stream = new PassThrough();
    const output = new LogOutput(stream, sayDropped);
    output.write('one\n');
    const read = text(stream);
    await output.flush();
    stream.end();
    expect(await read).toBe('one\n');
  });

  it.skipIf(!existsSync('/dev/full'))('survives a full disk', async () => {
    const stream = createWriteStream('/dev/full');
    const output = new LogOutput(stream, sayDropped);
    const closed = closeOf(stream);
    output.write(LINE);
    await closed;
    output.write(LINE);
    await output.flush();
    expect(stream.errored).toMatchObject({ code: 'ENOSPC' });
  });

  it('goes on writing when a write fails and the stream does not end with it', () => {
    // process.stdout is such a stream: it cannot be destroyed.
    const written: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        written.push(String(chunk));
        done();
      },
    });
    const output = new LogOutput(stream, sayDropped);
    output.write('one\n');
    stream.emit('error', Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
    output.write('two\n');
    expect(written).toEqual(['one\n', 'two\n']);
  });

  it('writes nothing more to a reader that has gone', async () => {
    const attempts: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _encoding, done) {
        attempts.push(String(chunk));
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const output = new LogOutput(stream, sayDropped);
    const closed = closeOf(stream);
    output.write('one\n');
    await closed;
    output.write('two\n');
    await output.flush();
    expect(attempts).toEqual(['one\n']);
  });
});

describe('LogOutput at the end of the process', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits until every line was read, and no longer', async () => {
    const stream = new PassThrough();
    const output = new LogOutput(stream, sayDropped);
    for (let line = 0; line < 100; line++) output.write(LINE);
    const read = text(stream);
    await output.flush();
    expect(stream.writableLength).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    stream.end();
    expect(await read).toBe(LINE.repeat(100));
  });

  it('waits a second for a reader that does not read, and no longer', async () => {
    const { output } = fullOutput();
    const onFlushed = vi.fn<() => void>();
    const flushed = output.flush().then(onFlushed);
    await vi.advanceTimersByTimeAsync(999);
    expect(onFlushed).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    await flushed;
    expect(onFlushed).toHaveBeenCalledOnce();
  });
});
