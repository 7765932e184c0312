/** What the service tells its service manager, by the real systemd-notify. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Notifier } from '../../src/operations/systemd/notifier.js';
import { Systemd } from '../../src/operations/systemd/systemd.js';
import { loadedBy } from '../support/loaded.js';
import { NotifySocket } from '../support/notify-socket.js';
import { missing } from '../support/programs.js';
import { type Service, startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const PATH = process.env['PATH'] ?? '';

/** A promise, and how it is kept. Node 20 has no Promise.withResolvers(). */
function resolvable(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((keep) => {
    resolve = keep;
  });
  return { promise, resolve };
}

async function startNotifying(
  env: Record<string, string> = {},
): Promise<{ manager: NotifySocket; service: Service }> {
  const manager = await NotifySocket.open();
  return { manager, service: startService({ NOTIFY_SOCKET: manager.path, ...env }) };
}

describe.skipIf(missing('systemd-notify', 'python3'))('A service that systemd waits for', () => {
  it('says that it is ready when it serves', async () => {
    const { manager, service } = await startNotifying();
    expect(await manager.next()).toBe('READY=1');
    expect(service.stdout).toMatch(/mendengarkan di port \d+/);
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
  });

  it('says nothing when it cannot listen', async () => {
    const { manager, service } = await startNotifying({ HOST: '192.0.2.1' });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(manager.messages).toEqual([]);
  });

  it('says that it stops at the first signal, while it serves on', async () => {
    const { manager, service } = await startNotifying({ SHUTDOWN_DELAY_MS: '600000' });
    expect(await manager.next()).toBe('READY=1');
    service.process.kill('SIGTERM');
    expect(await manager.next()).toBe('STOPPING=1');
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
  });

  it('says over and over that it lives, if it is watched', async () => {
    const { manager } = await startNotifying({ WATCHDOG_USEC: '400000' });
    expect([await manager.next(), await manager.next(), await manager.next()]).toEqual([
      'READY=1',
      'WATCHDOG=1',
      'WATCHDOG=1',
    ]);
  });

  it('does not say so if another process is watched, or none', async () => {
    const unwatched = await startNotifying();
    const other = await startNotifying({ WATCHDOG_USEC: '100000', WATCHDOG_PID: '1' });
    expect(await unwatched.manager.next()).toBe('READY=1');
    expect(await other.manager.next()).toBe('READY=1');
    const watched = await startNotifying({ WATCHDOG_USEC: '100000' });
    for (let message = 0; message < 5; message++) await watched.manager.next();
    expect([...unwatched.manager.messages, ...other.manager.messages]).toEqual([]);
  });

  it.each(['1', '2'])('says for how long it reloads with WORKERS=%s', async (WORKERS) => {
    const { manager, service } = await startNotifying({ WORKERS });
    expect(await manager.next()).toBe('READY=1');
    const before = process.hrtime.bigint() / 1_000n;
    service.process.kill('SIGHUP');
    const [, at] = /^RELOADING=1 MONOTONIC_USEC=(\d+)$/.exec(await manager.next()) ?? [];
    expect(BigInt(at ?? 0)).toBeGreaterThanOrEqual(before); // Type=notify-reload asks for it
    expect(BigInt(at ?? 0)).toBeLessThanOrEqual(process.hrtime.bigint() / 1_000n);
    expect(await manager.next()).toBe('READY=1');
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
  });

  it('says once that it reloads when it is asked to again meanwhile', async () => {
    const manager = await NotifySocket.open();
    const systemd = new Systemd({ NOTIFY_SOCKET: manager.path, PATH });
    systemd.ready();
    const [first, second] = [resolvable(), resolvable()];
    const reloads = [systemd.reload(() => first.promise), systemd.reload(() => second.promise)];
    second.resolve();
    await reloads[1];
    first.resolve();
    await Promise.all(reloads);
    systemd.stopping();
    expect(await manager.next()).toBe('READY=1');
    expect(await manager.next()).toMatch(/^RELOADING=1 /);
    expect(await manager.next()).toBe('READY=1');
    expect(await manager.next()).toBe('STOPPING=1');
  });

  it('does not say that it is ready because it was asked to reload before it serves', async () => {
    const manager = await NotifySocket.open();
    const systemd = new Systemd({ NOTIFY_SOCKET: manager.path, PATH });
    let isDone = false;
    await systemd.reload(() => {
      isDone = true;
    });
    expect(isDone).toBe(true);
    systemd.stopping();
    expect(await manager.next()).toBe('STOPPING=1');
  });

  it('does not say that it is ready when it has begun to stop', async () => {
    const manager = await NotifySocket.open();
    const systemd = new Systemd({ NOTIFY_SOCKET: manager.path, PATH });
    systemd.stopping();
    systemd.ready();
    systemd.stopping();
    expect([await manager.next(), await manager.next()]).toEqual(['STOPPING=1', 'STOPPING=1']);
  });

  it('lets no message overtake another', async () => {
    const manager = await NotifySocket.open();
    const notifier = new Notifier({ NOTIFY_SOCKET: manager.path, PATH }, () => undefined);
    const messages = Array.from({ length: 10 }, (_, number) => `X_NUMBER=${number}`);
    for (const message of messages) notifier.notify(message);
    for (const message of messages) expect(await manager.next()).toBe(message);
  });
});

describe('A service that cannot tell systemd anything', () => {
  it('says so once in the log, and serves', async () => {
    const env = { NOTIFY_SOCKET: '/nowhere', PATH: temporaryFolder(), WATCHDOG_USEC: '20000' };
    const service = startService(env);
    await service.logs(/systemd tidak dapat diberi tahu: spawn systemd-notify ENOENT\.\n/);
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
    client.end();
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.stdout.match(/systemd tidak/g)).toHaveLength(1);
  });

  it('serves also where the system lets it start no program at all', async () => {
    const folder = temporaryFolder();
    const program = join(folder, 'systemd-notify');
    const writer = openSync(program, 'w', 0o755); // what is written to cannot be started: ETXTBSY
    onTestFinished(() => closeSync(writer));
    writeSync(writer, '#!/bin/true\n');
    const service = startService({ NOTIFY_SOCKET: '/nowhere', PATH: folder });
    await service.logs(/systemd tidak dapat diberi tahu: .*ETXTBSY/);
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
  });
});

describe('The code for systemd', () => {
  it.each([
    ['not loaded', 'nobody waits for news', {}, 0],
    ['loaded', 'systemd waits for news', { NOTIFY_SOCKET: '/nowhere' }, 1],
  ])('is %s where %s', async (_is, _where, env, count) => {
    const folder = join(temporaryFolder(), 'coverage');
    const service = startService({ NODE_V8_COVERAGE: folder, ...env });
    await service.port();
    await service.stop();
    const loaded = await loadedBy(service, folder);
    expect(loaded.filter((url) => url.endsWith('/systemd/systemd.js'))).toHaveLength(count);
    expect(loaded.filter((url) => url.endsWith('/systemd/notifier.js'))).toHaveLength(count);
  });
});
