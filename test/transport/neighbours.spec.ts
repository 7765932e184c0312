/** What one client does is not noticed by another. */
import { describe, expect, it } from 'vitest';
import { nextEvent, startLineApplication } from '../support/line-application.js';
import { EchoController } from './controllers.js';

describe('A client is served', () => {
  it('while another is stalled in the middle of a line', async () => {
    const { connect } = await startLineApplication([EchoController]);
    const stalled = await connect();
    stalled.send('PIN');
    const client = await connect();
    client.send('PING\n');
    expect(await client.line()).toBe('PONG');
    stalled.send('G\n');
    expect(await stalled.line()).toBe('PONG');
  });

  it('while another never reads, who loses nothing when it reads at last', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const deaf = await connect();
    deaf.socket.pause();
    const count = 300_000;
    deaf.send(`${'NEXT\n'.repeat(count)}QUIT\n`);
    await expect.poll(() => server.stats().lines).toBeGreaterThan(1_000);
    const client = await connect();
    for (let i = 0; i < 10; i++) {
      client.send('PING\n');
      expect(await client.line()).toBe('PONG');
    }
    deaf.socket.resume();
    const lines = (await deaf.transcript()).trimEnd().split('\r\n');
    expect(lines).toEqual(Array.from({ length: count }, (_, index) => String(index + 1)));
  });

  it('while another never reads, whose replies are not produced without bound', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const deaf = await connect();
    deaf.socket.pause();
    deaf.socket.on('error', () => undefined);
    const lines = 2_000_000;
    deaf.send('NOPE\n'.repeat(lines)); // 10 MB that would be answered by 110 MB
    let before = -1;
    await expect
      .poll(
        () => {
          const stalled = server.stats().lines === before;
          before = server.stats().lines;
          return stalled;
        },
        { interval: 200, timeout: 15_000 },
      )
      .toBe(true);
    expect(server.stats().lines).toBeLessThan(lines / 2);
    deaf.reset();
  });

  it('while another floods: it waits for a slice of the flood, not for the flood', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const flood = await connect();
    const count = 200_000;
    flood.send('NEXT\n'.repeat(count));
    await expect.poll(() => server.stats().lines).toBeGreaterThan(0);
    const client = await connect();
    client.send('PING\n');
    expect(await client.line()).toBe('PONG');
    expect(server.stats().lines).toBeLessThan(count);
  });

  it('while another cuts its connection, before, during and after its replies', async () => {
    const { connect, server } = await startLineApplication([EchoController]);
    const client = await connect();
    for (const sent of [
      '',
      'PIN',
      'PING\n',
      'SLOW\n'.repeat(100),
      'NEXT\n'.repeat(10_000),
      'QUIT\n',
    ]) {
      const over = nextEvent(server, 'connection');
      const cut = await connect();
      await over;
      cut.socket.write(sent, () => cut.reset());
      client.send('PING\n');
      expect(await client.line()).toBe('PONG');
    }
    await expect.poll(() => server.stats().connections.open).toBe(1);
  });
});
