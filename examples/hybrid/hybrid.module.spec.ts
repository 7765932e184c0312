/**
 * The hybrid example: one counter behind a line server and an HTTP server, both with the application's pipe.
 */
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LineServer } from '../../src/line-transport/index.js';
import { compileExample } from '../../test/support/example.js';
import { TestClient } from '../../test/support/line-client.js';
import { connectLines } from './connect-lines.js';
import { HybridModule } from './hybrid.module.js';

async function startHybrid(): Promise<{ server: LineServer; counter: string }> {
  const module = await compileExample(HybridModule);
  const app = module.createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await connectLines(app);
  await app.listen(0, '127.0.0.1');
  return { server: app.get(LineServer), counter: `${await app.getUrl()}/counter` };
}

async function raise(counter: string, by: Record<string, string>): Promise<unknown> {
  const response = await fetch(counter, { method: 'POST', body: new URLSearchParams(by) });
  return response.json();
}

describe('The hybrid example', () => {
  it('raises by a line what HTTP reads, and the other way round', async () => {
    const { server, counter } = await startHybrid();
    expect(await server.inject('RAISE')).toBe('1');
    expect(await server.inject('RAISE 41')).toBe('42');
    expect(await (await fetch(counter)).json()).toEqual({ count: 42 });
    expect(await raise(counter, { by: '8' })).toEqual({ count: 50 });
    expect(await raise(counter, {})).toEqual({ count: 51 });
    expect(await server.inject('COUNT')).toBe('51');
  });

  it('holds lines and HTTP against the same schema', async () => {
    const { server, counter } = await startHybrid();
    expect(await server.inject('RAISE -1')).toBe('ERROR: by: is no whole number');
    expect(await raise(counter, { by: '-1' })).toMatchObject({
      statusCode: 400,
      message: ['by: is no whole number'],
    });
    expect(await server.inject('RAISE 1 2')).toBe('WRONG ARGUMENTS. Use RAISE [by].');
    expect(await server.inject('COUNT')).toBe('0');
  });

  it('answers lines over a socket', async () => {
    const { server } = await startHybrid();
    const { port } = server.unwrap().address() as AddressInfo;
    const client = await TestClient.connect(port);
    client.end('RAISE 2\r\nRAISE two\r\n');
    expect(await client.transcript()).toBe('2\r\nERROR: by: is no whole number\r\n');
  });
});
