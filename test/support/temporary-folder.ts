/**
 * Empty folders that are removed again.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A test's own, removed when the test ends. */
export function temporaryFolder(): string {
  const { folder, remove } = folderToRemove();
  onTestFinished(remove);
  return folder;
}

/** For several tests; whoever makes it removes it. */
export function folderToRemove(): { folder: string; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'line-test-'));
  return {
    folder,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
