/** The bounds of one connection and of all of them. */
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { nextEvent, startLineApplication } from '../support/line-application.js';
import { EchoController } from './controllers.js';

describe('A line longer than the limit', () => {
  const TOO_LONG = 'LINE TOO LONG. At most 16 bytes.';

  it('gets one error line at once, after the good lines before it, and the conversation goes on', async () => {
    const { connect, server } = await startLineApplication([EchoController], { maxLineBytes: 16 });
    const client = await connect();
    client.send(`PING\nPING\n${'x'.repeat(17)}`);
    expect(await client.lines(3)).toEqual(['PONG', 'PONG', TOO_LONG]);
    client.send(`${'y'.repeat(100_000)}\nPING\n`);
    expect(await client.line()).toBe('PONG');
    expect(server.stats().protocolErrors).toEqual({
      unknownCommand: 0,
      badArguments: 0,
      lineTooLong: 1,
    });
  });

  it('is one byte more than the limit, line end not counted', async () => {
    const { connect } = await startLineApplication([EchoController], { maxLineBytes: 16 });
    const client = await connect();
    client.send(`${'x'.repeat(16)}\r\n${'x'.repeat(17)}\r\n`);
    const [atLimit, beyond] = await client.lines(2);
    expect(atLimit).toMatch(/^UNKNOWN COMMAND/);
    expect(beyond).toBe(TOO_LONG);
  });

  it('costs constant memory however long it is', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const client = await connect();
    const chunk = Buffer.alloc(1_048_576, 0x41);
    const before = process.memoryUsage().rss;
    for (let sent = 0; sent < 128; sent++) {
      await new Promise((resolve) => client.socket.write(chunk, resolve));
    }
    client.send('\nPING\n');
    expect(await client.lines(2)).toEqual(['LINE TOO LONG. At most 1024 bytes.', 'PONG']);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1_048_576);
  });
});

describe('A connection beyond the limit', () => {
  it('is told so and closed, while those within it are served', async () => {
    const { connect, server } = await startLineApplication([EchoController], { maxConnections: 1 });
    const first = await connect();
    first.send('PING\n');
    expect(await first.line()).toBe('PONG');
    const refused = nextEvent(server, 'refused');
    const second = await connect();
    second.send('PING\n');
    expect(await second.transcript()).toBe('SERVER FULL. Try again later.\r\n');
    expect(await refused).toEqual([
      { remoteAddress: '127.0.0.1', remotePort: second.socket.localPort },
      'maxConnections',
    ]);
    first.send('PING\n');
    expect(await first.line()).toBe('PONG');
    expect(server.stats().connections).toMatchObject({
      open: 1,
      accepted: 1,
      refused: { maxConnections: 1 },
    });
  });

  it.each(['PING\nQUIT\n', 'PING\n'])(
    'is served as soon as another has left after %j',
    async (sent) => {
      const { connect, server } = await startLineApplication([EchoController], {
        maxConnections: 1,
      });
      for (let round = 0; round < 100; round++) {
        const client = await connect();
        const closed = once(client.socket, 'close');
        expect(await client.end(sent).transcript()).toBe('PONG\r\n');
        await closed;
      }
      expect(server.stats().connections).toMatchObject({
        accepted: 100,
        refused: { maxConnections: 0 },
      });
    },
  );

  it('is served although another that was told goodbye keeps its side open', async () => {
    const { connect, server } = await startLineApplication([EchoController], { maxConnections: 1 });
    const stayed = [];
    for (let round = 0; round < 5; round++) {
      const client = await connect();
      stayed.push(client);
      client.socket.on('error', () => undefined);
      expect(await client.send('PING\nQUIT\n').transcript()).toBe('PONG\r\n');
    }
    expect(server.stats().connections.refused.maxConnections).toBe(0);
    const sockets = await new Promise((resolve) =>
      server.unwrap().getConnections((_, count) => resolve(count)),
    );
    expect(sockets).toBeLessThanOrEqual(2);
    for (const client of stayed) client.socket.destroy();
  });

  it('is let go of if it had closed its side before there was room', async () => {
    const { connect, server } = await startLineApplication([EchoController], { maxConnections: 1 });
    for (let round = 0; round < 20; round++) {
      const first = await connect();
      const second = (await connect()).end();
      first.reset();
      await second.ended();
      await expect.poll(() => server.stats().connections.open).toBe(0);
    }
  });

  it('is forgotten if it is cut before it is told', async () => {
    const { connect, server } = await startLineApplication([EchoController], { maxConnections: 1 });
    const first = await connect();
    first.send('PING\n');
    await first.line();
    for (let round = 0; round < 50; round++) (await connect()).reset();
    first.end('PING\n');
    expect(await first.transcript()).toBe('PONG\r\n');
    await expect.poll(() => server.stats().connections.open).toBe(0);
  });

  it('cannot stay by keeping its side open', async () => {
    const { connect } = await startLineApplication([EchoController], { maxConnections: 1 });
    const first = await connect();
    first.send('PING\n');
    await first.line();
    const second = await connect();
    second.socket.on('error', () => undefined);
    await second.ended();
    const closed = new Promise((resolve) => second.socket.once('close', resolve));
    const talking = setInterval(() => second.send('x'), 50);
    await closed;
    clearInterval(talking);
  });
});

describe('A silent client', () => {
  it('is told so and closed after the idle timeout', async () => {
    const { connect, server } = await startLineApplication([EchoController], { idleTimeoutMs: 50 });
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    client.send('PING\nPIN');
    expect(await client.transcript()).toBe('PONG\r\nTIMED OUT.\r\n');
    client.end();
    expect((await over)[1]).toBe('idle');
    expect(server.stats().connections.ended.idle).toBe(1);
  });

  it('is left alone while it waits for an answer', async () => {
    let answer = (): void => undefined;
    const { connect, server } = await startLineApplication([EchoController], { idleTimeoutMs: 20 });
    const held = new Promise<string>((resolve) => {
      answer = () => resolve('at last');
    });
    server.addHandler('HELD', () => held);
    const client = await connect();
    const idle = await connect();
    client.send('HELD\n');
    await idle.transcript();
    idle.end();
    expect(client.received).toBe('');
    answer();
    expect(await client.line()).toBe('at last');
  });

  it('is told so although it reads what it is pushed, however much that is', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      idleTimeoutMs: 60,
      maxUnreadBytes: 1_024,
    });
    const client = await connect();
    const pushing = setInterval(() => {
      for (const connection of server.connections) connection.push('x'.repeat(10_000));
    }, 5);
    const lines = (await client.transcript()).split('\r\n');
    clearInterval(pushing);
    client.end();
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.at(-2)).toBe('TIMED OUT.');
    expect(server.stats().connections.ended.idle).toBe(1);
  });

  it('is cut when it reads nothing either', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      idleTimeoutMs: 100,
    });
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    client.socket.pause();
    client.socket.on('error', () => undefined);
    client.send('NOPE\n'.repeat(400_000));
    expect((await over)[1]).toBe('idle');
    client.socket.destroy();
  });

  it('may stay for ever when the timeout is 0', async () => {
    const { connect, server } = await startLineApplication([EchoController], { idleTimeoutMs: 0 });
    const client = await connect();
    client.send('PING\n');
    await client.line();
    expect(server.stats().connections.open).toBe(1);
    expect(server.stats().connections.ended.idle).toBe(0);
  });
});
