/**
 * The soak runs: every attack for a moment and very small, to see that it can be carried out and judged. What it measures here means
 * nothing.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { ATTACKS } from '../../soak/attacks.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SCALE = '0.002';
const GROUPS = 3;
/** On a busy machine clients wait, and so small an attack has few of them: these promises are for the full size. */
const OF_TIME_OR_MEMORY = /waits less|takes less|within|memory|heap|growth/;

/** What it says on its way: each promise, and whether it is kept. */
async function soak(...args: string[]): Promise<{ told: string[]; page: string }> {
  const options = { cwd: ROOT, timeout: 170_000 };
  const ended = run(process.execPath, ['soak/dist/soak/main.js', ...args], options);
  const { stdout, stderr } = await ended.catch(
    (failed: { stdout: string; stderr: string }) => failed,
  );
  return { told: stderr.split('\n'), page: stdout };
}

function broken(told: readonly string[]): string[] {
  return told.filter((line) => line.startsWith('BROKEN') && !OF_TIME_OR_MEMORY.test(line));
}

describe.skipIf(process.platform !== 'linux')('The soak', { timeout: 180_000 }, () => {
  beforeAll(async () => {
    const args = ['node_modules/typescript/bin/tsc', '-p', 'soak/tsconfig.build.json'];
    await run(process.execPath, args, { cwd: ROOT });
  }, 60_000);

  it.concurrent.each(Array.from({ length: GROUPS }, (_, group) => group))(
    'carries out every attack of part %i, and judges it',
    async (group) => {
      const attacks = ATTACKS.filter((_, index) => index % GROUPS === group);
      const names = attacks.flatMap(({ name }) => ['--attack', name]);
      const { told, page } = await soak('--scale', SCALE, ...names);
      expect(broken(told)).toEqual([]);
      for (const { name, title } of attacks) {
        expect(told.some((line) => line.startsWith('met') && line.includes(` ${name}: `))).toBe(
          true,
        );
        expect(page).toContain(`\n| ${title} |`);
      }
    },
  );

  it.concurrent(
    'has every kind of client at once, and judges how the service took it',
    async () => {
      const { told, page } = await soak('--minutes', '0.1');
      expect(broken(told)).toEqual([]);
      expect(page).toContain(
        '| a healthy client and newcomers get every reply, with the right second |',
      );
      expect(page).toContain('| s | RSS MiB |');
    },
  );

  it.concurrent('knows no attack by a name that none has', async () => {
    const { told, page } = await soak('--attack', 'unheard-of');
    expect(told.join('\n')).toContain('No attack is called unheard-of. There are unread,');
    expect(page).toBe('');
  });
});
