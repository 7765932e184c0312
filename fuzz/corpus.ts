/**
 * Folders of inputs, a file each.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface CorpusFile {
  readonly name: string;
  readonly input: Buffer;
}

/** The inputs of a folder, the shortest first; none if there is no such folder. */
export function readCorpus(folder: string): CorpusFile[] {
  return namesIn(folder)
    .map((name) => ({ name, input: readFileSync(join(folder, name)) }))
    .toSorted(
      (one, other) => one.input.length - other.input.length || (one.name < other.name ? -1 : 1),
    );
}

/** Writes an input, named after its bytes. @returns the file */
export function writeInput(folder: string, kind: string, input: Buffer): string {
  mkdirSync(folder, { recursive: true });
  const hash = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const file = join(folder, `${kind}-${hash}`);
  writeFileSync(file, input);
  return file;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
