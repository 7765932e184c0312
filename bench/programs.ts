/**
 * Where the programs of the bench are, and which of the machine's own it has. Knows nothing of what they are for.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

/** The repository; compiled, this file is bench/dist/bench/programs.js. */
const ROOT = new URL('../../../', import.meta.url);

/** A file of the repository. */
export function inRepository(path: string): string {
  return fileURLToPath(new URL(path, ROOT));
}

/** A compiled program of the bench. */
export function compiled(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

export function isInstalled(program: string): boolean {
  return firstLine('sh', ['-c', 'command -v "$1"', 'sh', program]) !== undefined;
}

/** The first line that a program prints; `undefined` if it cannot be run. */
export function firstLine(program: string, args: readonly string[]): string | undefined {
  try {
    const printed = execFileSync(program, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return printed.split('\n')[0];
  } catch {
    return undefined;
  }
}

/** Servers have one core to themselves, and the generators another. */
export const CORES = {
  server: '0',
  generator: '1',
  /** Where the generator is not in the way: its core too, if there is no third. */
  twoWorkers: availableParallelism() > 2 ? '0,2' : '0,1',
} as const;

/** Where it is installed, and both cores may be used. */
const canPin = [CORES.server, CORES.generator].every(
  (core) => firstLine('taskset', ['-c', core, 'true']) !== undefined,
);

/** The command on these cores, where it can be bound to them at all. */
export function pinned(command: readonly string[], cores: string): readonly string[] {
  return canPin ? ['taskset', '-c', cores, ...command] : command;
}

/** Binds this process, which only waits while others are measured, to these cores. */
export function stayOn(cores: string): void {
  if (canPin) firstLine('taskset', ['-cp', cores, String(process.pid)]);
}

/** How the report tells it. */
export const PINNING = canPin
  ? `servers on core ${CORES.server}, generators on core ${CORES.generator}, by taskset`
  : 'no process is bound to a core: taskset is missing, or cores 0 and 1 may not be used';
