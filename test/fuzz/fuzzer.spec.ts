/**
 * The fuzzer finds what is wrong: something is, in a copy of the transport of its own, which has no corpus to begin with.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** In the repository, so that its dependencies are found. */
const COPY = 'fuzz/dist/planted/dist';

it('The fuzzer finds a planted defect, and makes the input small that shows it', async () => {
  await run(
    'node',
    ['node_modules/typescript/bin/tsc', '-p', 'fuzz/tsconfig.build.json', '--outDir', COPY],
    {
      cwd: ROOT,
    },
  );
  const module = join(ROOT, COPY, 'src/line-transport/telnet-filter.js');
  const before = readFileSync(module, 'utf8');
  const planted = before.replace("byte === SE ? 'text'", "byte >= SE ? 'text'");
  expect(planted).not.toBe(before);
  writeFileSync(module, planted);
  const out = join(temporaryFolder(), 'out');
  const main = join(COPY, 'fuzz/main.js');
  const fuzzing = run(process.execPath, [main, '--seed', '1', '--out', out], { cwd: ROOT });
  await expect(fuzzing).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^Finding: /m),
  });
  const [name = ''] = readdirSync(`${out}-failed`);
  expect(readFileSync(join(`${out}-failed`, name)).length).toBeLessThan(16);
}, 120_000);
