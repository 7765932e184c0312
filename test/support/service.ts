/**
 * The built service as an operator runs it: its own process, its settings from the environment, its log on a pipe.
 */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { TestClient } from './line-client.js';
import { temporaryFolder } from './temporary-folder.js';

export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** What has a program tell what it has run, when coverage is measured. */
export const COVERAGE: Readonly<Record<string, string>> =
  process.env['SERVICE_COVERAGE'] === undefined
    ? {}
    : { NODE_V8_COVERAGE: process.env['SERVICE_COVERAGE'] };

export class Service {
  stdout = '';
  stderr = '';
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #waiting = new Set<() => void>();

  constructor(readonly process: ChildProcessWithoutNullStreams) {
    process.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      for (const check of this.#waiting) check();
    });
    process.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exit = new Promise((resolve) => {
      process.on('close', (code, signal) => {
        resolve({ code, signal });
        for (const check of this.#waiting) check();
      });
    });
  }

  /** The port it says it listens on. */
  async port(): Promise<number> {
    const [, port] = await this.logs(/port (\d+)\.\.\./);
    return Number(port);
  }

  async connect(): Promise<TestClient> {
    return TestClient.connect(await this.port());
  }

  /** Waits until the log matches. Fails when the process ends before. */
  logs(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const match = pattern.exec(this.stdout);
        const ended = this.process.exitCode !== null || this.process.signalCode !== null;
        if (match === null && !ended) return;
        this.#waiting.delete(check);
        if (match !== null) resolve(match);
        else
          reject(
            new Error(`ended before it logged ${String(pattern)}:\n${this.stdout}${this.stderr}`),
          );
      };
      this.#waiting.add(check);
      check();
    });
  }

  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals = 'SIGTERM'): typeof this.exit {
    this.process.kill(signal);
    return this.exit;
  }
}

/**
 * Starts the service, or what else serves lines, on a free port, in an empty folder and with nothing in its environment but what
 * is given.
 */
export function startService(
  env: Record<string, string> = {},
  [program, ...args]: [string, ...string[]] = [process.execPath, MAIN],
): Service {
  const child = spawn(program, args, {
    cwd: temporaryFolder(),
    env: { HOST: '127.0.0.1', PORT: '0', PATH: process.env['PATH'] ?? '', ...COVERAGE, ...env },
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return new Service(child);
}
