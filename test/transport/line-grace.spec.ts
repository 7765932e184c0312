/** Clients that send a command without a line end and wait. */
import { describe, expect, it } from 'vitest';
import { startLineApplication } from '../support/line-application.js';
import { EchoController } from './controllers.js';

const GRACE = { lineGraceMs: 20 };

describe('A command without a line end', () => {
  it('is answered when nothing follows for the line grace', async () => {
    const { connect } = await startLineApplication([EchoController], GRACE);
    const client = await connect();
    client.send('PING');
    expect(await client.line()).toBe('PONG');
  });

  it.each(['\n', '\r\n', ' \r\n'])('swallows the line end %j that comes later', async (lineEnd) => {
    const { connect } = await startLineApplication([EchoController], GRACE);
    const client = await connect();
    client.send('NEXT');
    expect(await client.line()).toBe('1');
    client.send(`${lineEnd}NEXT\n`);
    expect(await client.line()).toBe('2');
    expect(await client.end().transcript()).toBe('');
  });

  it('is answered again and again, as clients without line ends expect', async () => {
    const { connect } = await startLineApplication([EchoController], GRACE);
    const client = await connect();
    for (const expected of ['1', '2', '3']) {
      client.send('NEXT');
      expect(await client.line()).toBe(expected);
    }
    expect(await client.end().transcript()).toBe('');
  });

  it('may end the conversation', async () => {
    const { connect } = await startLineApplication([EchoController], GRACE);
    const client = await connect();
    expect(await client.send('QUIT').transcript()).toBe('');
  });

  it('is answered after the lines before it', async () => {
    const { connect } = await startLineApplication([EchoController], GRACE);
    const client = await connect();
    client.send('SLOW\nSLOW\nNEXT');
    expect(await client.lines(3)).toEqual(['SLOW', 'SLOW', '1']);
  });

  it('is answered once when the client then closes its side', async () => {
    const { connect } = await startLineApplication([EchoController], GRACE);
    const client = await connect();
    client.send('NEXT');
    expect(await client.line()).toBe('1');
    expect(await client.end().transcript()).toBe('');
  });

  it('is not answered early if it spells no command', async () => {
    const { connect, server } = await startLineApplication([EchoController], GRACE);
    const client = await connect();
    client.send('PIN');
    const other = await connect();
    other.send('PING');
    expect(await other.line()).toBe('PONG'); // a grace has passed
    expect(server.stats().lines).toBe(1);
    client.send('G\n');
    expect(await client.line()).toBe('PONG');
  });

  it('waits for its line end when the grace is off, as it is by default', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const client = await connect();
    client.send('NEXT');
    const other = await connect();
    other.send('SLOW\n');
    await other.line();
    expect(server.stats().lines).toBe(1);
    client.send('\n');
    expect(await client.line()).toBe('1');
  });
});
