import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { TestClient } from '../support/line-client.js';
import { MAIN, Service, startService } from '../support/service.js';
import { connectAtLast, freePort } from '../support/free-port.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** Everything that one client asks is logged. */
const UNLIMITED = { LOG_CLIENT_RATE: '0' };

/** Passes the log on until it has told the port, and from then on reads no more of it. */
const DEAF_READER =
  'sh -c \'while read -r line; do echo "$line"; case $line in *mendengarkan*) break;; esac; done; exec sleep 600 >/dev/null 2>&1\'';

/**
 * Starts the service behind a shell's pipe, as in `node dist/main.js | reader`. The process is the service; its stdout in the
 * test is the reader's.
 */
function startPiped(reader: string, env: Record<string, string> = {}): Service {
  const script = `mkfifo log && { ${reader} <log & } && exec "$0" "$1" >log`;
  const child = spawn('sh', ['-c', script, process.execPath, MAIN], {
    cwd: temporaryFolder(),
    env: { HOST: '127.0.0.1', PORT: '0', PATH: process.env['PATH'] ?? '', ...UNLIMITED, ...env },
    detached: true,
  });
  onTestFinished(() => {
    try {
      process.kill(-(child.pid ?? 0), 'SIGKILL'); // the reader, too
    } catch {
      // both have ended
    }
  });
  return new Service(child);
}

/** Starts the service with its log in a file. */
async function startIntoFile(
  file: string,
): Promise<{ client: TestClient; stop: () => Promise<unknown> }> {
  const port = await freePort();
  const child = spawn(process.execPath, [MAIN], {
    cwd: temporaryFolder(),
    env: { HOST: '127.0.0.1', PORT: String(port), ...UNLIMITED },
    stdio: ['ignore', openSync(file, 'w'), 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const exit = once(child, 'exit');
  return {
    client: await connectAtLast(port),
    stop: async () => {
      child.kill();
      return (await exit)[0];
    },
  };
}

/** Asks for the time this often, reads every reply, and goes. */
async function ask(client: TestClient, times: number): Promise<void> {
  client.send('TIME\r\n'.repeat(times));
  for (const reply of await client.lines(times)) expect(reply).toMatch(/^JAM \d\d:\d\d:\d\d$/);
  client.end();
  expect(await client.transcript()).toBe('');
}

/** Stops a service whose log is perhaps never read to its end. */
async function stop(service: Service): Promise<unknown> {
  const exit = once(service.process, 'exit');
  service.process.kill();
  return (await exit)[0];
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** What there is of so many TIME in a log, and how it ends. */
function summaryOf(log: string): object {
  return {
    received: count(log, / - Menerima pesan dari .*: 'TIME'\n/g),
    sent: count(log, / - Mengirim waktu '.*' ke .*\n/g),
    dropped: count(log, /dibuang/g),
    end: log.slice(log.lastIndexOf(' - ')),
  };
}

/** The summary of a log that lacks nothing. */
function complete(times: number): object {
  return { received: times, sent: times, dropped: 0, end: ' - Server berhenti.\n' };
}

describe('a log whose reader has gone', () => {
  it('does not keep the service from starting, serving and stopping: node dist/main.js | head -1', async () => {
    const port = await freePort();
    const service = startPiped('head -n 1', { PORT: String(port) });
    const client = await connectAtLast(port);
    await ask(client, 1_000);
    const second = await connectAtLast(port);
    await ask(second, 1);
    expect(await stop(service)).toBe(0);
    expect(count(service.stdout, /\n/g)).toBe(1);
    expect(service.stderr).toBe('');
  });

  it('does not disturb a session that has begun', async () => {
    const service = startPiped('grep -m 1 mendengarkan');
    const readerGone = once(service.process.stdout, 'end');
    const client = await service.connect();
    await readerGone;
    await ask(client, 1_000);
    expect(await stop(service)).toBe(0);
    expect(service.stderr).toBe('');
  });
});

describe('a log that nobody reads', () => {
  it('holds up neither replies nor the end of the process, on a pipe', async () => {
    const service = startPiped(DEAF_READER);
    const client = await service.connect();
    await ask(client, 50_000);
    const second = await service.connect();
    await ask(second, 1);
    expect(await stop(service)).toBe(0);
    expect(service.stderr).toBe('');
  });

  it('holds up neither replies nor the end of the process, on a socket', async () => {
    const service = startService(UNLIMITED);
    const client = await service.connect();
    service.process.stdout.pause();
    await ask(client, 50_000);
    expect(await stop(service)).toBe(0);
    expect(service.stderr).toBe('');
  });

  it('lacks lines, and says how many when it is read again', async () => {
    const service = startService(UNLIMITED);
    const client = await service.connect();
    await service.logs(/dimulai\.\n/);
    service.process.stdout.pause();
    await ask(client, 50_000);
    service.process.stdout.resume();
    await service.stop();
    const [, since = ''] = service.stdout.split('dimulai.\n');
    const notices = Array.from(since.matchAll(/- (\d+) baris log dibuang/g), ([, lines]) =>
      Number(lines),
    );
    const dropped = notices.reduce((sum, lines) => sum + lines, 0);
    expect(dropped).toBeGreaterThan(0);
    // Received and sent 50,000 times; closed, over; shutdown begun and finished.
    expect(count(since, /\n/g) - notices.length + dropped).toBe(100_004);
  });
});

describe('a log that is read', () => {
  it('is complete to the last line when it is a socket', async () => {
    const service = startService(UNLIMITED);
    await ask(await service.connect(), 10_000);
    await service.stop();
    expect(summaryOf(service.stdout)).toEqual(complete(10_000));
  });

  it('is complete to the last line when it is a pipe', async () => {
    const service = startPiped('cat');
    await ask(await service.connect(), 10_000);
    await service.stop();
    expect(summaryOf(service.stdout)).toEqual(complete(10_000));
  });

  it('is complete to the last line when it is a file', async () => {
    const file = join(temporaryFolder(), 'log');
    const service = await startIntoFile(file);
    await ask(service.client, 10_000);
    expect(await service.stop()).toBe(0);
    expect(summaryOf(readFileSync(file, 'utf8'))).toEqual(complete(10_000));
  });
});

describe('a log on a full disk', () => {
  it.skipIf(!existsSync('/dev/full'))(
    'does not keep the service from serving and stopping',
    async () => {
      const service = await startIntoFile('/dev/full');
      await ask(service.client, 1_000);
      expect(await service.stop()).toBe(0);
    },
  );
});
