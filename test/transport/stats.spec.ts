/** What a server counts of the bytes and of the room it has. */
import { describe, expect, it } from 'vitest';
import { roomForSockets } from '../../src/line-transport/descriptors.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { startLineApplication } from '../support/line-application.js';
import { prepareLineApplication, talk } from '../support/talk.js';
import { EchoController } from './controllers.js';

const MANY = 1_000_000;
/** The files that this process may open. */
const LIMIT = roomForSockets()?.limit ?? Infinity;

describe('The bytes of a server', () => {
  it('are those that came from its clients and those they were told, in any encoding', async () => {
    const server = await prepareLineApplication([EchoController], [], undefined, {
      greeting: 'pukul 時間',
    });
    expect(server.stats().bytes).toEqual({ received: 0, sent: 0 });
    const [greeting, ...told] = await talk(server, 'PING', 'wäktu');
    const received = Buffer.byteLength('PING\r\nwäktu\r\n');
    const sent = Buffer.byteLength([greeting, ...told, ''].join('\r\n'));
    expect(server.stats().bytes).toEqual({ received, sent });
    await talk(server, 'QUIT');
    const more = Buffer.byteLength(`${greeting}\r\n`);
    expect(server.stats().bytes).toEqual({ received: received + 6, sent: sent + more });
  });

  it("are telnet's, too", async () => {
    const server = await prepareLineApplication([EchoController]);
    const client = new LineConversation(server);
    client.write(Buffer.from('\xff\xfd\x06PING\n\xff\xf1', 'latin1')).end();
    await client.rest();
    expect(server.stats().bytes).toEqual({ received: 10, sent: 3 + 6 });
  });

  it('are those behind the last line that is served, but no answer to them', async () => {
    const server = await prepareLineApplication([EchoController]);
    await talk(server, 'QUIT', 'PING');
    expect(server.stats().bytes).toEqual({ received: 12, sent: 0 });
  });

  it('are not those that a client is told that is refused', async () => {
    const { connect, server } = await startLineApplication([EchoController], { maxConnections: 1 });
    const client = await connect();
    await client.send('PING\n').line();
    const refused = await connect();
    expect(await refused.transcript()).toBe('SERVER FULL. Try again later.\r\n');
    expect(server.stats().bytes).toEqual({ received: 5, sent: 6 });
  });
});

describe('The most conversations that a server may have', () => {
  it('are those of its options', async () => {
    const server = await prepareLineApplication([EchoController], [], undefined, {
      maxConnections: 7,
    });
    expect(server.stats().connections).toMatchObject({ open: 0, max: 7 });
  });

  it.skipIf(LIMIT > MANY)('are what the system has descriptors for, if that is less', async () => {
    const { server } = await startLineApplication([EchoController], { maxConnections: MANY });
    expect(server.stats().connections.max).toBeLessThan(LIMIT);
    expect(server.stats().connections.max).toBeGreaterThan(0);
  });
});
