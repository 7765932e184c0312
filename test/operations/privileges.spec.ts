/** Who runs the service, and what it says of that. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../support/packed.js';
import { missing } from '../support/programs.js';
import { MAIN, startService } from '../support/service.js';

/** It may write nowhere, so not what it has run either. */
const NO_COVERAGE = { NODE_V8_COVERAGE: '' };

const IS_ROOT = process.getuid?.() === 0;
const WARNING =
  /^\S+ \S+ - \[SERVER\] - Layanan berjalan sebagai root, padahal tidak perlu hak istimewa\.$/gm;
/** Runs what follows without the rights of root. */
const UNPRIVILEGED: [string, ...string[]] = IS_ROOT
  ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs']
  : ['env'];

/** Whether nobody can run the service, which may be in a folder of root's. */
function isOutOfReach(): boolean {
  const files = [MAIN, createRequire(MAIN).resolve('pino')];
  const look = files.map((file) => `fs.accessSync(${JSON.stringify(file)}, fs.constants.R_OK)`);
  const [program, ...args] = [...UNPRIVILEGED, process.execPath, '-e', look.join(';')];
  try {
    execFileSync(program, args, { stdio: 'ignore', cwd: '/' });
    return false;
  } catch {
    return true;
  }
}

/**
 * Runs the service as a container does that is well locked up: everything is read-only, its user is nobody, and may never be anyone
 * else. $1 is the repository, $2 is node. Ends with 9 if something can be written after all.
 */
const LOCKED_UP = `
set -e
mount -t tmpfs tmpfs /mnt
mkdir /mnt/repository
touch /mnt/node
mount --bind "$1" /mnt/repository
mount --bind "$2" /mnt/node
mount -t tmpfs tmpfs /tmp
for place in / /tmp /mnt /mnt/repository; do mount -o remount,bind,ro $place; done
cd /mnt/repository
for place in . dist / /tmp /var/tmp; do
  ! touch $place/written 2>/dev/null || exit 9
done
exec setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --inh-caps=-all --no-new-privs \
  /mnt/node dist/main.js
`;

/** Whether a file system of one's own can be had here. */
function hasNoMounts(): boolean {
  return missing('unshare', 'setpriv') || spawnSync('unshare', ['--mount', 'true']).status !== 0;
}

describe('A service that is started', () => {
  it.skipIf(!IS_ROOT)('by root says once that it need not be, and serves', async () => {
    const service = startService();
    const client = await service.connect();
    expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
    client.end();
    await service.stop();
    expect(service.stdout.match(WARNING)).toHaveLength(1);
  });

  it.skipIf((IS_ROOT && missing('setpriv')) || isOutOfReach())(
    'by anyone else says nothing of it, and serves as well',
    async () => {
      const [program, ...args] = [...UNPRIVILEGED, process.execPath, MAIN];
      const service = startService(NO_COVERAGE, [program, ...args]);
      const client = await service.connect();
      expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
      client.end();
      await service.stop();
      expect(service.stdout).toContain('mendengarkan');
      expect(service.stdout).not.toContain('root');
      expect(service.stderr).toBe('');
    },
  );

  it.skipIf(!IS_ROOT || hasNoMounts())(
    'where it can write no file, and has no capability and no way to one, serves as well',
    async () => {
      const command = ['sh', '-c', LOCKED_UP, 'sh', ROOT, process.execPath];
      const service = startService(NO_COVERAGE, ['unshare', '--mount', ...command]);
      const client = await service.connect();
      expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
      const status = readFileSync(`/proc/${service.process.pid}/status`, 'utf8');
      expect(status).toMatch(/^Uid:\t65534\t/m);
      expect(status).toMatch(/^CapBnd:\t0+$/m);
      client.end();
      expect(await service.stop()).toEqual({ code: 0, signal: null });
      expect(service.stderr).toBe('');
    },
  );
});
