/**
 * The package as npm would publish it: made of dist/, which `npm test` builds first.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface Manifest {
  name: string;
  version: string;
  exports: Record<string, unknown>;
  overrides: Record<string, unknown>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

/** What the package.json in a folder says, this project's without one. */
export function manifest(folder = ROOT): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Packs the package into a folder and tells the file. No script runs: a build would take dist/ from under other tests. */
export async function pack(folder: string): Promise<string> {
  if (!existsSync(join(ROOT, 'dist/main.js'))) {
    throw new Error('There is no dist/ to pack; run `npm run build` first.');
  }
  const options = ['--ignore-scripts', '--pack-destination', folder];
  await promisify(execFile)('npm', ['pack', ...options], { cwd: ROOT });
  const { name, version } = manifest();
  return join(folder, `${name}-${version}.tgz`);
}
