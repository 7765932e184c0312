/** Who runs the service, and what it says of that. */
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { missing } from '../support/programs.js';
import { MAIN, startService } from '../support/service.js';

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
      const service = startService({}, [program, ...args]);
      const client = await service.connect();
      expect(await client.send('TIME\n').line()).toMatch(/^JAM /);
      client.end();
      await service.stop();
      expect(service.stdout).toContain('mendengarkan');
      expect(service.stdout).not.toContain('root');
      expect(service.stderr).toBe('');
    },
  );
});
