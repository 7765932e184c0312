/** How many files a process may have open. */
import { execFileSync } from 'node:child_process';

/** The most files that a process may have open from now on; its hard limit stays. Those that are open stay open. */
export function allowFiles(pid: number, files: number): void {
  execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${files}:`]);
}

export function allowedFiles(pid: number): number {
  const args = [`--pid=${pid}`, '--nofile', '--output=SOFT', '--noheadings', '--raw'];
  return Number(execFileSync('prlimit', args, { encoding: 'utf8' }));
}
