/**
 * What the system says of a process: its memory, its descriptors and its connections. Linux only. Knows nothing of why they are asked for.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const MIB = 1024;
/** Of a millisecond. */
const NANOSECONDS = 1e6;

export interface Vitals {
  /** Memory of the process that is in RAM, in MiB. */
  readonly rssMib: number;
  readonly descriptors: number;
  /** Sockets of the port that a process holds: neither what the kernel keeps for a while, nor who waits to be accepted. */
  readonly connections: number;
}

/** @param port that it listens on */
export function vitals(pid: number, port: number): Vitals {
  return {
    rssMib: rssMib(pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    connections: connections(port),
  };
}

export function rssMib(pid: number): number {
  return status(pid, 'VmRSS');
}

/** The most memory it has had since {@link forgetPeak}, in MiB. */
export function peakMib(pid: number): number {
  return status(pid, 'VmHWM');
}

/** From now on the peak is a new one (proc(5), clear_refs). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The part of the time, since it was made, in which a process had work and no processor: what others on the machine cost it. */
export class Starvation {
  readonly #begun = performance.now();
  readonly #before: number;

  constructor(private readonly pid: number) {
    this.#before = starvedMs(pid);
  }

  part(): number {
    return (starvedMs(this.pid) - this.#before) / (performance.now() - this.#begun);
  }
}

/** Of its main thread. */
function starvedMs(pid: number): number {
  try {
    const [, waited] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return Number(waited) / NANOSECONDS;
  } catch {
    return 0; // a kernel that does not tell
  }
}

function status(pid: number, field: string): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) / MIB;
}

/** Columns of /proc/net/tcp: the address and port of this end, the state, and the inode, 0 for a socket that no process holds. */
const LOCAL = 1;
const STATE = 3;
const INODE = 9;
const LISTEN = '0A';

function connections(port: number): number {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = ['tcp', 'tcp6'].flatMap((family) => tableOf(family));
  return rows.filter((row) => {
    if (!row.includes(ending)) return false; // most are of others
    const columns = row.trim().split(/\s+/);
    const isOurs = columns[LOCAL]?.endsWith(ending) === true;
    return isOurs && columns[STATE] !== LISTEN && columns[INODE] !== '0';
  }).length;
}

function tableOf(family: string): string[] {
  try {
    return readFileSync(`/proc/net/${family}`, 'utf8').split('\n');
  } catch {
    return []; // a system without IPv6
  }
}
