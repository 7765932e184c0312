/**
 * The built service with several workers: who they are, and who is still there. Knows what the log says of them.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import { type Service, startService } from './service.js';

/** Starts the service with this many workers and waits until all of them are ready. */
export async function startWorkers(
  count: number,
  env: Record<string, string> = {},
): Promise<Service> {
  const service = startService({ WORKERS: String(count), ...env });
  await readyWorkers(service, count);
  return service;
}

/** Waits until so many workers have been ready since the start; the pids of all, the newest last. */
export async function readyWorkers(service: Service, count: number): Promise<number[]> {
  await untilLogged(service, 'siap melayani', count);
  return Array.from(service.stdout.matchAll(/\(pid (\d+)\) siap melayani/g), ([, pid]) =>
    Number(pid),
  );
}

/**
 * Waits until the log has this text so many times; a pattern would be tried in too many ways on a log that is long. Fails when the
 * service ends before.
 */
export async function untilLogged(service: Service, text: string, times: number): Promise<void> {
  const isLogged = (): boolean => service.stdout.split(text).length > times;
  while (!isLogged()) {
    const logged = once(service.process.stdout, 'data').then(() => false);
    const hasEnded = await Promise.race([logged, service.exit.then(() => true)]);
    if (hasEnded && !isLogged()) {
      throw new Error(`ended before it logged ${text}:\n${service.stdout}${service.stderr}`);
    }
  }
}

/** The child processes of a service that are there now, ready or not. */
export function livingWorkers({ process: { pid = 0 } }: Service): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

/** Waits until one is there that was not before, ready or not. Until it runs a program of its own, its primary waits for it. */
export async function newWorker(service: Service, before: readonly number[]): Promise<number> {
  const isWorker = (pid: number): boolean =>
    readFileSync(`/proc/${pid}/environ`, 'utf8').includes('NODE_UNIQUE_ID=');
  for (;;) {
    const found = livingWorkers(service).find((pid) => !before.includes(pid) && isWorker(pid));
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Whether there is such a process that has not ended. */
export function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Has a process hang. It does not outlive the test: whoever hangs does not notice that its primary has gone. */
export function freeze(pid: number): void {
  process.kill(pid, 'SIGSTOP');
  onTestFinished(() => {
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
  });
}

/** Resolves when none of these processes is there any more. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  while (pids.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 20));
}
