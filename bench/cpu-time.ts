/**
 * The processor time of a process and its children, such as the workers of a cluster, from Linux's /proc.
 */
import { readFileSync } from 'node:fs';

/** Clock ticks a second; Linux tells programs 100 on every architecture that Node runs on. */
const TICKS = 100;

/**
 * Seconds that it and its living children have had of processors, all threads together, since they began; not a number where that
 * cannot be known, as after its end.
 */
export function cpuSeconds(pid: number): number {
  try {
    const children = read(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
    return children.reduce((sum, child) => sum + cpuSeconds(child), ownSeconds(pid));
  } catch {
    return Number.NaN;
  }
}

/** Behind the name, which is in parentheses and may hold blanks, utime is the 12th field and stime the 13th. */
function ownSeconds(pid: number): number {
  const [, fields = ''] = /\) (.*)/.exec(read(pid, 'stat')) ?? [];
  const [user = Number.NaN, system = Number.NaN] = fields.split(' ').slice(11, 13).map(Number);
  return (user + system) / TICKS;
}

function read(pid: number, file: string): string {
  return readFileSync(`/proc/${pid}/${file}`, 'utf8').trim();
}
