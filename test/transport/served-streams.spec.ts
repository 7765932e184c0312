/** Clients that come by another way than the port: over any stream of bytes. */
import { duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { LineServer } from '../../src/line-transport/index.js';
import { prepareLineApplication } from '../support/talk.js';
import { EchoController } from './controllers.js';

describe('A stream that is served', () => {
  it('is a connection like others', async () => {
    const server = await prepareLineApplication([EchoController]);
    const [client, stream] = duplexPair();
    stream.on('close', () => client.push(null));
    const connection = server.serve(stream, { remoteAddress: '203.0.113.7' });
    expect(connection.remoteAddress).toBe('203.0.113.7');
    expect([...server.connections]).toEqual([connection]);
    client.end('NEXT\nPING\n');
    expect(await text(client)).toBe('1\r\nPONG\r\n');
  });
});

describe('A stream is not served, and takes no place,', () => {
  const refused = { accepted: 0, open: 0 };

  it('that is destroyed', async () => {
    const server = await prepareLineApplication([EchoController]);
    const [, stream] = duplexPair();
    stream.destroy();
    const fault = { code: 'ERR_LINE_CONNECT', message: 'The stream is destroyed.' };
    expect(() => server.serve(stream)).toThrow(expect.objectContaining(fault));
    expect(server.stats().connections).toMatchObject(refused);
  });

  it('that gives text in the place of bytes', async () => {
    const server = await prepareLineApplication([EchoController]);
    const [, stream] = duplexPair();
    stream.setEncoding('utf8');
    expect(() => server.serve(stream)).toThrow(
      expect.objectContaining({
        code: 'ERR_LINE_CONNECT',
        message: expect.stringContaining('bytes'),
      }),
    );
    expect(server.stats().connections).toMatchObject(refused);
  });

  it('before there is a handler', () => {
    const server = new LineServer();
    const [, stream] = duplexPair();
    expect(() => server.serve(stream)).toThrow(
      expect.objectContaining({
        code: 'ERR_LINE_CONNECT',
        message: expect.stringContaining('app.init()'),
      }),
    );
    expect(server.stats().connections).toMatchObject(refused);
  });
});
