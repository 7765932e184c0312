/** Real programs that keep a clock, or know of it, and what the service makes of them. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CLOCK_SOURCES,
  type ClockReport,
  type ClockSource,
} from '../../src/operations/clock/clock-report.js';
import { parseAdjtimex, parseChrony, program } from '../../src/operations/clock/clock-sources.js';
import { readSettings, settings } from '../../src/operations/config/settings.js';
import { SERVICE_STATE } from '../../src/operations/health/service-state.js';
import { createLog, LOG } from '../../src/operations/logging/log.js';
import { ManagementModule } from '../../src/operations/management/management.module.js';
import { METRICS_TEXT } from '../../src/operations/metrics/metrics-text.js';
import { freePort } from '../support/free-port.js';
import { type Ready, readyz, series, startManaged } from '../support/management.js';
import { missing } from '../support/programs.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SOON = AbortSignal.timeout(600_000);
const settled = { timeout: 15_000, interval: 100 };

/** Starts a chronyd that leaves the machine's clock alone, and returns the port it is asked at. */
async function startChrony(...config: string[]): Promise<{ child: ChildProcess; port: number }> {
  const folder = temporaryFolder();
  const port = await freePort();
  const file = join(folder, 'chrony.conf');
  const own = [
    `cmdport ${port}`,
    'bindcmdaddress 127.0.0.1',
    'bindcmdaddress /',
    `pidfile ${join(folder, 'pid')}`,
  ];
  writeFileSync(file, [...own, ...config, ''].join('\n'));
  const user = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim();
  const child = spawn('chronyd', ['-x', '-d', '-U', '-u', user, '-f', file], { stdio: 'ignore' });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, port };
}

/** A server whose only source is its own clock, and a client of it. */
async function startChronyPair(): Promise<{ server: number; client: number }> {
  const ntp = await freePort();
  const local = ['local stratum 8', 'allow 127.0.0.1', 'bindaddress 127.0.0.1', `port ${ntp}`];
  const server = await startChrony(...local);
  const client = await startChrony(
    'port 0',
    `server 127.0.0.1 port ${ntp} iburst minpoll -6 maxpoll -6`,
  );
  return { server: server.port, client: client.port };
}

function askChrony(port: number): ClockSource {
  const at = ['-h', '127.0.0.1', '-p', String(port)];
  return program(['chronyc', ...at, '-c', '-n', 'tracking'], (said) => parseChrony(said));
}

describe.skipIf(missing('chronyd', 'chronyc'))('a real chronyd', () => {
  it('that follows a server is synchronized, and knows by how much it is off', async () => {
    const { client } = await startChronyPair();
    await expect
      .poll(() => askChrony(client)(SOON), settled)
      .toMatchObject({
        state: 'synchronized',
        source: 'chrony',
      });
    const report = await askChrony(client)(SOON);
    expect(Math.abs(report?.offsetSeconds ?? Number.NaN)).toBeLessThan(1);
  });

  it('that follows nobody but itself is not synchronized', async () => {
    const { server } = await startChronyPair();
    await expect
      .poll(() => askChrony(server)(SOON), settled)
      .toEqual({
        state: 'unsynchronized',
        source: 'chrony',
      });
  });

  it('that has ended has no say', async () => {
    const { child, port } = await startChrony('local stratum 8', 'port 0');
    await expect.poll(() => askChrony(port)(SOON), settled).toBeDefined();
    child.kill('SIGKILL');
    await expect.poll(() => askChrony(port)(SOON), settled).toBeUndefined();
  });
});

describe.skipIf(missing('adjtimex'))('a real adjtimex', () => {
  it('says what the kernel knows, without privileges', async () => {
    const report = await program(['adjtimex', '--print'], parseAdjtimex)(SOON);
    expect(report).toMatchObject({ source: 'kernel' });
    expect(report?.state).toMatch(/^(un)?synchronized$/);
  });
});

@Module({})
class Source {}

/** What `/readyz` answers where a clock is of which this is said. */
async function readyWith(
  clock: ClockReport | undefined,
  env: Record<string, string> = {},
): Promise<Ready> {
  const log = createLog({ level: 'silent', format: 'text' }, { write: () => undefined });
  const providers = [
    { provide: SERVICE_STATE, useValue: { isListening: true, isLeaving: false, open: 0, max: 1 } },
    { provide: METRICS_TEXT, useValue: () => Promise.resolve('') },
    { provide: LOG, useValue: log },
    { provide: settings.KEY, useValue: readSettings({ MANAGEMENT_PORT: '0', ...env }) },
  ];
  const exported = providers.map(({ provide }) => provide);
  const source = { module: Source, providers, exports: exported };
  const module = await Test.createTestingModule({ imports: [ManagementModule.of(source)] })
    .overrideProvider(CLOCK_SOURCES)
    .useValue([() => Promise.resolve(clock)])
    .compile();
  const app = module.createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  return readyz(await app.getUrl());
}

describe('readiness and a clock', () => {
  const REQUIRED = { REQUIRE_CLOCK_SYNC: 'true' };

  it('that is not synchronized: told, and refused only with REQUIRE_CLOCK_SYNC', async () => {
    const clock = { state: 'unsynchronized', source: 'kernel' } as const;
    expect(await readyWith(clock)).toMatchObject({
      code: 200,
      details: { clock: { status: 'up', ...clock } },
    });
    expect(await readyWith(clock, REQUIRED)).toMatchObject({
      code: 503,
      details: { clock: { status: 'down', ...clock }, line: { status: 'up' } },
    });
  });

  it('of which nothing is known: told, and never refused', async () => {
    const details = { clock: { status: 'up', state: 'unknown' } };
    expect(await readyWith(undefined)).toMatchObject({ code: 200, details });
    expect(await readyWith(undefined, REQUIRED)).toMatchObject({ code: 200, details });
  });

  it('that is synchronized: told, with its offset', async () => {
    const clock = { state: 'synchronized', source: 'chrony', offsetSeconds: -0.25 } as const;
    expect(await readyWith(clock, REQUIRED)).toMatchObject({
      code: 200,
      details: { clock: { status: 'up', ...clock } },
    });
  });
});

/** A folder for PATH in which a program answers by this script. */
function folderWith(name: string, script: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  return folder;
}

describe('a service', () => {
  it('serves while who is asked for the clock does not answer, and then knows nothing of it', async () => {
    const path = ['chronyc', 'adjtimex', 'busybox', 'timedatectl'].map((name) =>
      folderWith(name, 'exec /bin/sleep 600'),
    );
    const { service, url } = await startManaged({ PATH: path.join(delimiter) });
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
    client.end();
    const told = await series(url);
    expect([-1, 1]).toContain(told.get('time_service_clock_synchronized')); // 1 by a file of timesyncd's
    expect(await service.stop()).toEqual({ code: 0, signal: null });
  });

  it.skipIf(missing('chronyd', 'chronyc'))('tells what chrony tells', async () => {
    const { client } = await startChronyPair();
    await expect
      .poll(() => askChrony(client)(SOON), settled)
      .toMatchObject({ state: 'synchronized' });
    const real = execFileSync('sh', ['-c', 'command -v chronyc'], { encoding: 'utf8' }).trim();
    const folder = folderWith('chronyc', `exec ${real} -h 127.0.0.1 -p ${client} "$@"`);
    const { service, url } = await startManaged({ PATH: folder, LOCALE: 'id' });
    const [, source] = await service.logs(/Jam mesin ini tersinkronisasi, kata (\w+)\.\n/);
    const told = await series(url);
    expect(told.get('time_service_clock_synchronized')).toBe(1);
    expect(told.has('time_service_clock_offset_seconds')).toBe(source === 'chrony'); // timesyncd may keep this machine's
  });
});
