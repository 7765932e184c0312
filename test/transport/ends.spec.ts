/** Every end of a conversation is told apart. */
import { describe, expect, it } from 'vitest';
import { nextEvent, startLineApplication } from '../support/line-application.js';
import { EchoController } from './controllers.js';

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
