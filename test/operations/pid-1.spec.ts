/**
 * The service as pid 1, which is what it is in a container: there the kernel ends no process by a signal that it does not listen to,
 * and nobody but pid 1 takes care of those whose parents are gone.
 */
import { spawnSync } from 'node:child_process';
import { constants, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { missing } from '../support/programs.js';
import { MAIN, type Service, startService } from '../support/service.js';

/** In namespaces of processes and of mounts, as a container's. Its exit code is that of the service. */
const UNSHARE = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'] as const;

function isNotPermitted(): boolean {
  return missing('unshare') || spawnSync(UNSHARE[0], [...UNSHARE.slice(1), 'true']).status !== 0;
}

/** The process that is pid 1 in there, by its number out here. */
function firstProcess({ process: { pid } }: Service): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
}

/** A service that cannot get beyond reading its .env file, as that has no end until it is closed here. */
async function startHeldUp(
  program: readonly string[],
): Promise<{ service: Service; envFile: FileHandle }> {
  const held = ['sh', '-c', 'mkfifo .env && exec "$@"', 'sh'] as const;
  const service = startService({}, [...held, ...program]);
  return { service, envFile: await openAtLast(`/proc/${service.process.pid}/cwd/.env`) };
}

/** Opens a pipe as soon as it is there, which takes until somebody reads it. */
async function openAtLast(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_WRONLY);
  } catch {
    return openAtLast(path);
  }
}

describe.skipIf(isNotPermitted())('The service as pid 1', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('stops in order on %s', async (signal) => {
    const service = startService({}, [...UNSHARE, process.execPath, MAIN]);
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
    process.kill(firstProcess(service), signal);
    expect(await client.transcript()).toBe('');
    client.end();
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(service.stdout).toMatch(/ - Server berhenti\.\n$/);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends on %s while it starts', async (signal) => {
    const { service, envFile } = await startHeldUp([...UNSHARE, process.execPath, MAIN]);
    process.kill(firstProcess(service), signal);
    await envFile.close();
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(service.stderr).toBe('');
  });

  it('leaves no zombie of a program that it has started', async () => {
    const env = { NOTIFY_SOCKET: '/nowhere', WATCHDOG_USEC: '20000' };
    const service = startService(env, [...UNSHARE, process.execPath, MAIN]);
    const client = await service.connect();
    await service.logs(/systemd tidak dapat diberi tahu/); // it was started, and has ended
    const first = firstProcess(service);
    const children = readFileSync(`/proc/${first}/task/${first}/children`, 'utf8').trim();
    const states = children === '' ? [] : children.split(' ').map(stateOf);
    expect(states).not.toContain('Z');
    client.end();
  });
});

describe('The service as any process', () => {
  it('is not ended by a SIGHUP while it starts', async () => {
    const { service, envFile } = await startHeldUp([process.execPath, MAIN]);
    service.process.kill('SIGHUP');
    await envFile.close();
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
    client.end();
  });
});

function stateOf(pid: string): string {
  const [, state = ''] = /^State:\t(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return state;
}
