import { once } from 'node:events';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { LogRelay } from './log-relay.js';

/** Writes each chunk in a turn of its own. */
async function write(stream: PassThrough, ...chunks: string[]): Promise<void> {
  for (const chunk of chunks) {
    stream.write(chunk);
    await new Promise(setImmediate);
  }
}

describe('What several write', () => {
  it('is passed on in whole lines, however it comes', async () => {
    const out = new PassThrough({ encoding: 'utf8' });
    const relay = new LogRelay(out);
    const [one, other] = [new PassThrough(), new PassThrough()];
    const passed = Promise.all([relay.pass(one), relay.pass(other)]);
    await write(one, 'first ');
    await write(other, 'second\nthi');
    await write(one, 'line\n');
    await write(other, 'rd\n', '\n');
    one.end();
    other.end('fourth\n');
    await passed;
    expect(out.read()).toBe('second\nfirst line\nthird\n\nfourth\n');
  });

  it('lacks a line whose writer died over it', async () => {
    const out = new PassThrough({ encoding: 'utf8' });
    const from = new PassThrough();
    const passed = new LogRelay(out).pass(from);
    from.end('whole\n{"half');
    await passed;
    expect(out.read()).toBe('whole\n');
  });

  it('waits with its writers while nobody reads, and is whole when someone does', async () => {
    const out = new PassThrough({ highWaterMark: 64, encoding: 'utf8' });
    const relay = new LogRelay(out);
    const writers = Array.from({ length: 20 }, () => new PassThrough({ highWaterMark: 64 }));
    const passed = Promise.all(writers.map((writer) => relay.pass(writer)));
    for (const [at, writer] of writers.entries()) writer.end(`line of ${at}\n`.repeat(50));
    await once(out, 'readable');
    const waiting = out.readableLength;
    expect(waiting).toBeLessThan(20 * 50 * 10);
    let text = '';
    out.on('data', (chunk: string) => (text += chunk));
    await passed;
    for (const at of writers.keys()) {
      expect(text.match(new RegExp(`^line of ${at}$`, 'gm'))).toHaveLength(50);
    }
    expect(out.listenerCount('drain')).toBe(0);
  });

  it('is lost without holding anyone up when whoever read it has gone', async () => {
    const out = new Writable({
      highWaterMark: 1,
      write: (_chunk, _encoding, done) => done(new Error('EPIPE')),
    });
    out.on('error', () => undefined);
    const from = new PassThrough();
    const passed = new LogRelay(out).pass(from);
    await write(from, 'one\n', 'two\n', 'three\n');
    from.end();
    await passed;
    expect(out.destroyed).toBe(true);
  });
});
