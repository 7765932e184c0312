/**
 * Which files a program has loaded: Node's own coverage tells.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Service } from './service.js';

/** The files that a program has loaded which was started with `NODE_V8_COVERAGE` as this folder and has ended, as URLs. */
export async function loadedBy(program: Service, folder: string): Promise<string[]> {
  await program.exit;
  return readdirSync(folder).flatMap((file) => {
    const coverage = JSON.parse(readFileSync(join(folder, file), 'utf8')) as {
      result: { url: string }[];
    };
    return coverage.result.map(({ url }) => url).filter((url) => url.startsWith('file:'));
  });
}
