/** A real HAProxy in front of a server: clients are known by their own addresses. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { Controller } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Command,
  LineContext,
  type LineReply,
  type LineServerOptions,
} from '../../src/line-transport/index.js';
import { selfSigned } from '../support/certificates.js';
import { freePort } from '../support/free-port.js';
import { type LineApplication, startLineApplication } from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { missing } from '../support/programs.js';
import { temporaryFolder } from '../support/temporary-folder.js';

@Controller()
class WhoController {
  @Command('WHO')
  who(@Ctx() { connection }: LineContext): LineReply {
    return `${connection.remoteAddress} ${connection.remotePort} ${connection.localPort}`;
  }
}

function start(options: LineServerOptions = {}): Promise<LineApplication> {
  return startLineApplication([WhoController], { proxyProtocolTrust: ['127.0.0.1'], ...options });
}

/** HAProxy with one server behind it; what it says goes to `said`. @returns its port */
async function startProxy(server: string): Promise<{ port: number; said: () => string }> {
  const port = await freePort();
  const file = join(temporaryFolder(), 'haproxy.cfg');
  const lines = [
    'defaults',
    '  mode tcp',
    '  timeout connect 5s',
    '  timeout client 60s',
    '  timeout server 60s',
    'listen time',
    `  bind 127.0.0.1:${port}`,
    `  server behind ${server}`,
    '',
  ];
  writeFileSync(file, lines.join('\n'));
  const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  await expect
    .poll(() =>
      TestClient.connect(port).then(
        (client) => client.reset() ?? true,
        () => false,
      ),
    )
    .toBe(true);
  return { port, said: () => said };
}

/** Connects from an address that is not the proxy's. */
function from(localAddress: string, port: number): Promise<TestClient> {
  return TestClient.connect({ host: '127.0.0.1', port, localAddress });
}

describe.skipIf(missing('haproxy', 'openssl'))('Behind HAProxy', () => {
  it.each(['send-proxy', 'send-proxy-v2', 'send-proxy-v2 proxy-v2-options crc32c,unique-id'])(
    'a client is known by its own address: %s',
    async (how) => {
      const { port } = await start();
      const proxy = await startProxy(`127.0.0.1:${port} ${how}`);
      for (const address of ['127.0.0.1', '127.0.0.7']) {
        const client = await from(address, proxy.port);
        const { localPort } = client.socket;
        expect(await client.end('WHO\nWHO\n').transcript()).toBe(
          `${address} ${localPort} ${proxy.port}\r\n`.repeat(2),
        );
      }
    },
  );

  it.each(['send-proxy', 'send-proxy-v2'])(
    'a client is known by its own address with TLS passed through: %s',
    async (how) => {
      const { port } = await start({ tls: selfSigned() });
      const proxy = await startProxy(`127.0.0.1:${port} ${how}`);
      const place = { host: '127.0.0.1', port: proxy.port, localAddress: '127.0.0.7' };
      const socket = connectTls(Object.assign(place, { rejectUnauthorized: false }));
      await once(socket, 'secureConnect');
      const { localPort } = socket;
      expect(await TestClient.of(socket).send('WHO\n').line()).toBe(
        `127.0.0.7 ${localPort} ${proxy.port}`,
      );
    },
  );

  it.each(['send-proxy check', 'send-proxy-v2 check', 'send-proxy-v2 check check-send-proxy'])(
    'a health check finds the server up, then down: %s',
    async (how) => {
      const { app, port, server } = await start();
      const proxy = await startProxy(`127.0.0.1:${port} ${how} inter 50 fall 1 rise 1`);
      /** HAProxy cuts its checks: some are over before they are looked at. */
      const count = (): number => {
        const { accepted, refused } = server.stats().connections;
        return accepted + refused.proxyProbe;
      };
      await expect.poll(count, { timeout: 10_000 }).toBeGreaterThan(3);
      expect(server.stats().connections.refused).toMatchObject({
        proxyHeader: 0,
        proxyUntrusted: 0,
      });
      const client = await from('127.0.0.7', proxy.port);
      expect(await client.end('WHO\n').transcript()).toMatch(/^127\.0\.0\.7 /);
      expect(proxy.said()).not.toContain('DOWN');
      await app.close();
      await expect.poll(proxy.said, { timeout: 10_000 }).toContain('DOWN');
    },
  );

  it('without a header, none of its clients is served', async () => {
    const { port, server } = await start();
    const proxy = await startProxy(`127.0.0.1:${port}`);
    const client = await from('127.0.0.7', proxy.port);
    await client.send('WHO\n').ended();
    expect(client.received).toBe('');
    expect(server.stats().connections).toMatchObject({ accepted: 0, refused: { proxyHeader: 1 } });
  });

  it('what lists say is said of clients', async () => {
    const { port, server } = await start({ denyAddresses: ['127.0.0.7'] });
    const proxy = await startProxy(`127.0.0.1:${port} send-proxy-v2`);
    const denied = await from('127.0.0.7', proxy.port);
    await denied.send('WHO\n').ended();
    expect(denied.received).toBe('');
    const client = await from('127.0.0.8', proxy.port);
    expect(await client.end('WHO\n').transcript()).toMatch(/^127\.0\.0\.8 /);
    expect(server.stats().connections.refused.addressDenied).toBe(1);
  });
});
