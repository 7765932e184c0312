/** Every end of a conversation is told apart. */
import { describe, expect, it } from 'vitest';
import { nextEvent, startLineApplication } from '../support/line-application.js';
import { EchoController, Gate } from './controllers.js';

/** A stream without end. */
async function* repeatedly(line: string): AsyncGenerator<string> {
  for (;;) yield line;
}

describe('The end of a conversation', () => {
  it('is "quit" when a handler closes it', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    client.send('QUIT\n');
    expect(await over).toEqual([expect.objectContaining({ id: 1 }), 'quit', undefined]);
  });

  it('is "client" when the client closes its side', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const over = nextEvent(server, 'disconnection');
    (await connect()).end('PING\n');
    expect((await over)[1]).toBe('client');
  });

  it('is "reset" when the client cuts the connection, and carries the error', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    client.send('PING\n');
    await client.line();
    client.reset();
    expect((await over).slice(1)).toEqual([
      'reset',
      expect.objectContaining({ code: 'ECONNRESET' }),
    ]);
  });

  it.each([
    ['before a reply', 'HELD\n'],
    ['before it has sent a whole line', 'PI'],
    ['before it has sent anything', ''],
    ['during a reply', 'FLOOD\n'],
    ['behind what it has asked last', 'PING\n'.repeat(1_000)],
  ])('is "reset", once, when the client cuts the connection %s', async (_, sent) => {
    const { connect, server } = await startLineApplication([EchoController]);
    const held = new Gate();
    server.addHandler('HELD', async () => {
      await held.pass();
      return 'too late';
    });
    server.addHandler('FLOOD', async () => repeatedly('x'.repeat(60_000)));
    const ends: unknown[] = [];
    server.on('disconnection', (_connection, reason) => ends.push(reason));
    const arrived = nextEvent(server, 'request');
    const accepted = nextEvent(server, 'connection');
    const client = await connect();
    client.socket.pause();
    client.send(sent);
    await (sent.endsWith('\n') ? arrived : accepted);
    client.reset();
    await expect.poll(() => server.stats().connections.open).toBe(0);
    held.open();
    const other = await connect();
    expect(await other.send('PING\nSLOW\nQUIT\n').transcript()).toBe('PONG\r\nSLOW\r\n');
    other.end();
    expect(ends).toEqual(['reset', 'quit']);
    expect(server.stats()).toMatchObject({ handlerErrors: 0, bufferedBytes: 0 });
  });

  it('is "client" when it has closed its side while replies were pending, which it gets', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const held = new Gate();
    server.addHandler('HELD', async () => {
      await held.pass();
      return 'at last';
    });
    const over = nextEvent(server, 'disconnection');
    const arrived = nextEvent(server, 'request');
    const client = await connect();
    client.end('HELD\nPING\nPING');
    await arrived;
    expect(client.received).toBe('');
    held.open();
    expect(await client.transcript()).toBe('at last\r\nPONG\r\nPONG\r\n');
    expect((await over)[1]).toBe('client');
  });

  it('is "shutdown" when the server closes', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    client.send('PING\n');
    await client.line();
    const closed = server.close();
    expect((await over)[1]).toBe('shutdown');
    client.end();
    await closed;
  });

  it('is counted once, by its reason', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    for (const sent of ['QUIT\n', 'QUIT\n', 'PING\n']) {
      const over = nextEvent(server, 'disconnection');
      (await connect()).end(sent);
      await over;
    }
    expect(server.stats().connections).toMatchObject({
      accepted: 3,
      ended: { quit: 2, client: 1, idle: 0, shutdown: 0, reset: 0, error: 0 },
    });
  });
});

describe('The events of a conversation', () => {
  it('come in the order in which things happen', async () => {
    const { connect, server } = await startLineApplication([EchoController], { maxLineBytes: 16 });
    const seen: string[] = [];
    server.on('connection', ({ id }) => seen.push(`connection ${id}`));
    server.on('request', ({ id }, line) => seen.push(`request ${id} ${line}`));
    server.on('reply', ({ id }, line) => seen.push(`reply ${id} ${line}`));
    server.on('protocolError', ({ id }, error) => seen.push(`protocolError ${id} ${error}`));
    server.on('disconnection', ({ id }, reason) => seen.push(`disconnection ${id} ${reason}`));
    const client = await connect();
    const over = nextEvent(server, 'disconnection');
    await client.send(`PING\nnope\n${'x'.repeat(20)}\nBYE\n`).transcript();
    client.end();
    await over;
    expect(seen).toEqual([
      'connection 1',
      'request 1 PING',
      'reply 1 PONG',
      'request 1 nope',
      'protocolError 1 unknownCommand',
      'protocolError 1 lineTooLong',
      'request 1 BYE',
      'reply 1 See you',
      'reply 1 soon',
      'disconnection 1 quit',
    ]);
  });
});
