/**
 * The echo example, in memory and over a socket.
 */
import { describe, expect, it } from 'vitest';
import { initExample, startExample } from '../../test/support/example.js';
import { EchoModule } from './echo.module.js';

describe('The echo example', () => {
  it.each(['hello', 'TIME', 'a  b', 'Größe 大 👋', '__proto__', ''])(
    'says %j back',
    async (line) => {
      const { server } = await initExample(EchoModule);
      expect(await server.inject(line)).toBe(line);
    },
  );

  it('says every line of a conversation back, in order', async () => {
    const { converse } = await initExample(EchoModule);
    const client = converse().send('one', 'two').write('thr', 'ee\r\n').end();
    expect(await client.rest()).toEqual(['one', 'two', 'three']);
  });

  it('does so over a socket', async () => {
    const { connect } = await startExample(EchoModule);
    const client = await connect();
    client.end('hello\r\nworld\r\n');
    expect(await client.transcript()).toBe('hello\r\nworld\r\n');
  });
});
