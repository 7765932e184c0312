/**
 * Real programs that tests talk to. On a newcomer's machine such a test skips and says so; with REQUIRE_PROGRAMS=1, as in CI,
 * a missing program is a failure.
 */
import { execFileSync } from 'node:child_process';

/** Whether what a test needs must be there. */
export const REQUIRED = process.env['REQUIRE_PROGRAMS'] === '1';

/** Whether to skip a test that needs these programs. */
export function missing(...programs: string[]): boolean {
  const absent = programs.filter((program) => !isInstalled(program));
  if (absent.length > 0 && REQUIRED) {
    throw new Error(`not installed: ${absent.join(', ')}`);
  }
  return absent.length > 0;
}

function isInstalled(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v "$1"`, 'sh', program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
