/** What the image asks to know whether its service lives, outside a container. */
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/free-port.js';
import { startService } from '../support/service.js';

const HEALTHCHECK = fileURLToPath(new URL('../../dist/healthcheck.js', import.meta.url));

async function check(env: Record<string, string>): Promise<{ code: number | null; said: string }> {
  const program = startService(env, [process.execPath, HEALTHCHECK]);
  const { code } = await program.exit;
  return { code, said: program.stderr };
}

describe('The health check', () => {
  it('is content with a service that answers its clients', async () => {
    const port = await startService().port();
    expect(await check({ PORT: String(port) })).toEqual({ code: 0, said: '' });
  });

  it('asks the management port where there is one', async () => {
    const management = String(await freePort());
    await startService({ MANAGEMENT_PORT: management }).port();
    const closed = String(await freePort());
    const env = { MANAGEMENT_PORT: management, PORT: closed };
    expect(await check(env)).toEqual({ code: 0, said: '' });
    expect(await check({ ...env, MANAGEMENT_HOST: '127.0.0.1' })).toEqual({ code: 0, said: '' });
  });

  it.each(['PORT', 'MANAGEMENT_PORT'])('says why not where nobody listens on %s', async (name) => {
    const { code, said } = await check({ [name]: String(await freePort()) });
    expect(code).toBe(1);
    expect(said).toContain('ECONNREFUSED');
  });

  it('says what it was answered where that is no good', async () => {
    const server = createServer((_, response) => response.writeHead(503).end()).listen(0);
    onTestFinished(() => {
      server.close();
    });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expect(await check({ MANAGEMENT_PORT: String(port) })).toEqual({
      code: 1,
      said: '/livez says 503\n',
    });
  });
});
