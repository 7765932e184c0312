/**
 * A real HAProxy with the configuration that is shipped; only where things are is the test's.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const HAPROXY_CONFIGURATION = fileURLToPath(
  new URL('../../deploy/haproxy/haproxy.cfg', import.meta.url),
);

/** What HAProxy thinks of a server. */
type Rota = 'UP' | 'DOWN';

export class HAProxy {
  /** What it says of itself and of its servers. */
  stderr = '';
  /** What it says of each connection. */
  stdout = '';
  readonly #rota = new Map<string, Rota>();
  readonly #waiting = new Set<() => void>();

  private constructor(readonly process: ChildProcess) {
    process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      for (const [, server = '', rota] of text.matchAll(/Server services\/(\w+) is (UP|DOWN)/g)) {
        this.#rota.set(server, rota as Rota);
      }
      for (const check of this.#waiting) check();
    });
  }

  /** @param places the configuration's environment */
  static start(places: Record<string, string>): HAProxy {
    const child = spawn('haproxy', ['-db', '-f', HAPROXY_CONFIGURATION], {
      env: { PATH: process.env['PATH'] ?? '', ...places },
    });
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    return new HAProxy(child);
  }

  /** What it thinks of a server now; it says nothing as long as it thinks that it is up, as it does at the start. */
  rotaOf(server: string): Rota {
    return this.#rota.get(server) ?? 'UP';
  }

  /** Waits until it thinks so of a server. */
  async until(server: string, rota: Rota): Promise<void> {
    while (this.rotaOf(server) !== rota) {
      await new Promise<void>((resolve) => {
        const check = (): void => {
          this.#waiting.delete(check);
          resolve();
        };
        this.#waiting.add(check);
      });
    }
  }

  /** Lets it finish its conversations and end. */
  async stop(): Promise<void> {
    const ended = once(this.process, 'close');
    this.process.kill('SIGUSR1');
    await ended;
  }
}
