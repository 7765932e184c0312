/** What npm would publish, read from the packed file. */
import { checkPackage, createPackageFromTarballData, type Problem } from '@arethetypeswrong/core';
import { readFileSync } from 'node:fs';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, it } from 'vitest';
import { manifest, pack } from '../support/packed.js';
import { temporaryFolder } from '../support/temporary-folder.js';

async function packed(): Promise<Buffer> {
  return readFileSync(await pack(temporaryFolder()));
}

/** Where a problem is no problem: engines that take the package can require() an ES module, and know `exports`. */
function isOfOldEngines(problem: Problem): boolean {
  return 'resolutionKind' in problem && /^node10$|^node16-cjs$/.test(problem.resolutionKind);
}

describe('The package', () => {
  it('has what runs, its types, and the pages for those who use it, nothing else', async () => {
    const files = createPackageFromTarballData(await packed())
      .listFiles()
      .map((file) => file.replace(`/node_modules/${manifest().name}/`, ''));
    const code = files.filter((file) => /^dist\/([a-z-]+\/)*[a-z.-]+\.(js|d\.ts)$/.test(file));
    expect(files.filter((file) => !code.includes(file)).toSorted()).toEqual([
      '.env.example',
      'CHANGELOG.md',
      'LICENSE',
      'README.md',
      'docs/OPERATIONS.md',
      'docs/PROTOCOL.md',
      'package.json',
      'src/line-transport/README.md',
    ]);
    expect(code).toContain('dist/main.js');
    expect(code.filter((file) => /\b(spec|test)\b/.test(file))).toEqual([]);
  });

  it('is without fault to publint', async () => {
    const tarball = Uint8Array.from(await packed()).buffer;
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
  });

  it('has types that node16 and bundlers resolve, for each of its entries', async () => {
    const result = await checkPackage(createPackageFromTarballData(await packed()));
    if (result.types === false) throw new Error('The package has no types.');
    expect(Object.keys(result.entrypoints)).toEqual(Object.keys(manifest().exports));
    expect(result.problems.filter((problem) => !isOfOldEngines(problem))).toEqual([]);
  });
});
