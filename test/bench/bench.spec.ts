/**
 * The bench runs: for a moment, to see that every server answers and every table is filled. What it measures here means nothing.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { contender } from '../../bench/contenders.js';
import { readSaved } from '../../bench/saved.js';
import { scenariosOf } from '../../bench/scenarios.js';
import { missing } from '../support/programs.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Between them they have every server, and every kind of scenario. */
const ONLY = ['50 connections, depth 1', 'sessions', 'workers', 'quiet', 'start-up', 'idle'];
const BRIEFLY = ['--rounds', '1', '--seconds', '0.1', '--warm-up', '0', '--connections', '50'];

const isHere = ({ program = 'node' }: { program?: string }): boolean => !missing(program);

it.skipIf(missing('cc', 'openssl'))(
  'The bench runs every server that is installed, and its report has all rows',
  { timeout: 180_000 },
  async () => {
    const file = join(temporaryFolder(), 'saved.json');
    await run('node', ['node_modules/typescript/bin/tsc', '-p', 'bench/tsconfig.build.json'], {
      cwd: ROOT,
    });
    const only = ONLY.flatMap((part) => ['--only', part]);
    const args = ['bench/dist/bench/main.js', ...BRIEFLY, ...only, '--save', file];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: ROOT, timeout: 170_000 });
    const { results } = readSaved(file);
    for (const { title, kind, servers } of scenariosOf(ONLY)) {
      const [, section = ''] = stdout.split(`\n### ${title}\n`);
      const [table = ''] = section.split('\n##');
      for (const server of servers.filter((name) => isHere(contender(name)))) {
        const [sample] = Object.values(results[title]?.[server] ?? {});
        const told = kind === 'start' ? sample?.start : kind === 'idle' ? 1 : sample?.rate;
        expect(told, `${title}, ${server}\n${stderr}`).toBeGreaterThan(0);
        expect(table).toContain(`\n| ${server} `);
      }
    }
    expect(stdout).toContain('\n## Targets\n');
  },
);
