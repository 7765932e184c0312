/** One client: lines in, replies out, in order and none lost. */
import { describe, expect, it } from 'vitest';
import { startLineApplication } from '../support/line-application.js';
import { EchoController } from './controllers.js';

describe('A conversation', () => {
  it('begins with the client: the server does not greet', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    client.send('PING\r\n');
    expect(await client.line()).toBe('PONG');
    client.end();
    expect(await client.transcript()).toBe('');
  });

  it('answers each line with one reply that ends in CR LF', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    expect(await client.end('PING\nNEXT\r\nPING\n').transcript()).toBe('PONG\r\n1\r\nPONG\r\n');
  });

  it('understands a line that arrives byte by byte', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    client.socket.setNoDelay(true);
    for (const byte of 'PING\r\n') {
      await new Promise<void>((resolve) => {
        client.socket.write(byte, () => setImmediate(resolve));
      });
    }
    expect(await client.line()).toBe('PONG');
  });

  it('takes blanks around a command off, and is strict about its case', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    client.send(' \t PING \u00a0\r\nping\r\nPING now\r\n\r\n');
    const unknown = 'UNKNOWN COMMAND. Use PING, NEXT, SLOW, QUIT or BYE.';
    expect(await client.lines(4)).toEqual(['PONG', unknown, unknown, unknown]);
  });

  it('answers in order although one answer is slow', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    client.send('NEXT\nSLOW\nNEXT\nNOPE\nNEXT\n');
    const lines = await client.lines(5);
    expect(lines.map((line) => line.slice(0, 7))).toEqual(['1', 'SLOW', '2', 'UNKNOWN', '3']);
  });

  it('does not hold a ready reply back behind a slow one', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const client = await connect();
    const first = new Promise<number>((resolve) => {
      client.socket.once('data', () => resolve(server.stats().lines));
    });
    client.send('NEXT\n');
    expect(await first).toBe(1);
  });

  it('answers 100,000 lines of one write in order, a slow one among them, and then closes without a RST', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    const count = 100_000;
    client.send(`${'NEXT\n'.repeat(count / 2)}SLOW\n${'NEXT\n'.repeat(count / 2)}QUIT\n`);
    const lines = (await client.transcript()).split('\r\n');
    expect(lines.pop()).toBe('');
    expect(lines.splice(count / 2, 1)).toEqual(['SLOW']);
    expect(lines).toEqual(Array.from({ length: count }, (_, index) => String(index + 1)));
    expect(client.error).toBeUndefined();
  });

  it('answers a last line that has no end, once the client has closed its side', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    expect(await client.end('PING\nPING').transcript()).toBe('PONG\r\nPONG\r\n');
  });

  it('gives a client that closed its side every reply before it closes its own', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    const transcript = await client.end(`${'SLOW\n'.repeat(50)}NEXT`).transcript();
    expect(transcript).toBe(`${'SLOW\r\n'.repeat(50)}1\r\n`);
  });

  it('says nothing to a client that says nothing and leaves', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    expect(await client.end().transcript()).toBe('');
  });
});

describe('The end of a conversation that a handler asks for', () => {
  it('comes after every earlier reply, and what follows is ignored', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const client = await connect();
    client.send(`${'NEXT\n'.repeat(500)}QUIT\n${'NEXT\n'.repeat(500)}`);
    const transcript = await client.transcript();
    expect(transcript.split('\r\n')).toHaveLength(501);
    expect(server.stats().lines).toBe(501);
  });

  it('is no RST although the client goes on sending', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    client.send('PING\nQUIT\n');
    client.send('x'.repeat(262_144));
    await client.ended();
    client.send('x'.repeat(262_144)).end();
    await new Promise((resolve) => client.socket.once('close', resolve));
    expect(client.received).toBe('PONG\r\n');
    expect(client.error).toBeUndefined();
  });

  it('may be announced by last lines', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    expect(await client.send('BYE\nPING\n').transcript()).toBe('See you\r\nsoon\r\n');
  });

  it('does not depend on the client closing its own side', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const client = await connect();
    await client.send('QUIT\n').ended();
    const sockets = (): Promise<number> =>
      new Promise((resolve) => server.unwrap().getConnections((_, count) => resolve(count)));
    await expect.poll(sockets, { timeout: 5_000 }).toBe(0);
    client.socket.destroy();
  });

  it('may have a last line, which is one line whatever it holds', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    server.on('connection', (connection) => connection.end('quit', 'bye\r\nJAM 00:00:00\0'));
    const client = await connect();
    expect(await client.end().transcript()).toBe('bye JAM 00:00:00 \r\n');
  });
});
