/** The management port: what it answers, to whom, and that nothing of it is there where it is not set. */
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/free-port.js';
import { managementOf, startManaged } from '../support/management.js';
import { type Service, startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Every file whose code the service has run, once it has ended: V8's coverage lists them. */
async function filesLoadedBy(start: (env: Record<string, string>) => Promise<Service>) {
  const folder = temporaryFolder();
  const service = await start({ NODE_V8_COVERAGE: folder });
  await service.stop();
  const [report = ''] = readdirSync(folder);
  const { result } = JSON.parse(readFileSync(join(folder, report), 'utf8')) as {
    result: { url: string }[];
  };
  return result.map(({ url }) => url);
}

const MANAGEMENT_PACKAGES =
  /\/node_modules\/(express|@nestjs\/platform-express|@nestjs\/terminus|prom-client)\//;
const MANAGEMENT_FOLDERS = /\/dist\/operations\/(clock|health|management|metrics)\//;

describe('without MANAGEMENT_PORT', () => {
  it('neither Express nor terminus nor prom-client nor any code for it is loaded', async () => {
    const loaded = await filesLoadedBy(async (env) => {
      const service = startService(env);
      await service.port();
      return service;
    });
    expect(loaded.some((url) => url.includes('/node_modules/@nestjs/core/'))).toBe(true);
    expect(loaded.some((url) => url.includes('/dist/operations/'))).toBe(true);
    expect(loaded.filter((url) => MANAGEMENT_PACKAGES.test(url))).toEqual([]);
    expect(loaded.filter((url) => MANAGEMENT_FOLDERS.test(url))).toEqual([]);
  });
});

describe('with MANAGEMENT_PORT', () => {
  it('they are loaded', async () => {
    const loaded = await filesLoadedBy(async (env) => (await startManaged(env)).service);
    for (const name of ['express', '@nestjs/terminus', 'prom-client']) {
      expect(loaded.some((url) => url.includes(`/node_modules/${name}/`))).toBe(true);
    }
    expect(loaded.some((url) => MANAGEMENT_FOLDERS.test(url))).toBe(true);
  });

  it('the service says where the port is, serves lines as ever, and ends with 0', async () => {
    const { service } = await startManaged();
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM \d\d:\d\d:\d\d$/);
    client.end();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.stderr).toBe('');
    expect(service.stdout).toMatch(/ - Server berhenti\.\n$/);
  });
});

describe('the management port', () => {
  it('answers that the process lives', async () => {
    const { url } = await startManaged();
    const response = await fetch(`${url}/livez`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await response.text()).toBe('ok\n');
  });

  it('answers HEAD without a body', async () => {
    const { url } = await startManaged();
    for (const path of ['/livez', '/readyz', '/metrics']) {
      const response = await fetch(url + path, { method: 'HEAD' });
      expect(response.status).toBe(200);
      expect(await response.text()).toBe('');
    }
  });

  it('has nothing else, and takes nothing', async () => {
    const { url } = await startManaged();
    for (const [method, path] of [
      ['GET', '/'],
      ['GET', '/metrics/x'],
      ['GET', '/livez.json'],
      ['POST', '/livez'],
      ['PUT', '/readyz'],
      ['DELETE', '/metrics'],
      ['OPTIONS', '/x'],
    ] as const) {
      const response = await fetch(url + path, { method });
      expect([method, path, response.status]).toEqual([method, path, 404]);
      expect(response.headers.get('content-type')).toContain('application/json');
    }
  });

  it('does not care for a query, and does not say what it is made of', async () => {
    const { url } = await startManaged();
    const response = await fetch(`${url}/livez?a[__proto__][x]=1&a=2`);
    expect(response.status).toBe(200);
    expect(response.headers.get('x-powered-by')).toBeNull();
  });

  it('is on 127.0.0.1 unless told otherwise', async () => {
    const { url } = await startManaged();
    expect(new URL(url).hostname).toBe('127.0.0.1');
    const socket = connect(Number(new URL(url).port), '127.0.0.2');
    await expect(once(socket, 'connect')).rejects.toThrow('ECONNREFUSED');
  });

  it('is on MANAGEMENT_HOST where that is set', async () => {
    const { url } = await startManaged({ MANAGEMENT_HOST: '127.0.0.2' });
    expect(new URL(url).hostname).toBe('127.0.0.2');
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it('takes 64 connections, so that nobody uses up the descriptors of the service by it', async () => {
    const { url } = await startManaged();
    const open = (): Socket => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      onTestFinished(() => {
        socket.destroy();
      });
      return socket;
    };
    const sockets = Array.from({ length: 64 }, open);
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    const tooMany = open();
    await once(tooMany, 'close');
    for (const socket of sockets.slice(32)) socket.destroy();
    await expect
      .poll(() => fetch(`${url}/livez`).catch(() => undefined))
      .toHaveProperty('status', 200);
  });

  it('closes who does not finish asking, within some seconds', async () => {
    const { url } = await startManaged();
    const asking = connect(Number(new URL(url).port), '127.0.0.1');
    asking.on('error', () => undefined);
    const closed = once(asking, 'close');
    const since = performance.now();
    asking.resume().write('GET /livez HTTP/1.1\r\nHo');
    await closed;
    expect(performance.now() - since).toBeGreaterThan(2_000); // who is slow is not cut
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it('is not waited for at the end, whatever somebody has begun to ask', async () => {
    const { service, url } = await startManaged();
    const asking = connect(Number(new URL(url).port), '127.0.0.1');
    asking.on('error', () => undefined);
    onTestFinished(() => {
      asking.destroy();
    });
    asking.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /livez HTTP/1.1\r\nHo');
    await once(asking, 'data'); // the first is answered, the second begun
    await fetch(`${url}/livez`); // fetch keeps its connection
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });
});

describe('a service that cannot have its management port', () => {
  it('says so in one line, exits with 1, and has not served', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    onTestFinished(() => {
      other.close();
    });
    await once(other, 'listening');
    const service = startService({ MANAGEMENT_PORT: String(port) });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toBe(
      `Cannot listen on MANAGEMENT_PORT ${port} of MANAGEMENT_HOST 127.0.0.1: ` +
        `listen EADDRINUSE: address already in use 127.0.0.1:${port}. Choose others, or stop who has them.\n`,
    );
    expect(service.stdout).not.toContain('mendengarkan');
  });

  it.each(['192.0.2.1', 'nowhere.invalid'])(
    'because of its host, %s, does so, too',
    async (host) => {
      const service = startService({ MANAGEMENT_PORT: '0', MANAGEMENT_HOST: host });
      expect(await service.exit).toEqual({ code: 1, signal: null });
      expect(service.stderr).toMatch(
        new RegExp(`^Cannot listen on MANAGEMENT_PORT 0 of MANAGEMENT_HOST ${host}: [^\\n]+\\n$`),
      );
      expect(service.stdout).not.toContain('mendengarkan');
    },
  );
});

describe('a service that has its management port, but not its own', () => {
  it('says so in one line, and exits with 1', async () => {
    const first = startService();
    const service = startService({ PORT: String(await first.port()), MANAGEMENT_PORT: '0' });
    await managementOf(service);
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toMatch(
      /^Cannot listen on port \d+ of 127\.0\.0\.1: [^\n]+\(EADDRINUSE\)\.\n$/,
    );
    expect(service.stdout).not.toContain('mendengarkan');
  });
});
