/**
 * Notifier: tells the service manager how the service fares (sd_notify(3)), by systemd's own program: Node has no datagrams on Unix
 * sockets (docs/decisions/0010-systemd-notify.md). Knows nothing of the service, and nobody waits for it.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The program waits for five seconds, at most, until the manager has read what it says. */
const TIMEOUT_MS = 10_000;

/** Where the manager listens, and where the program is; nothing else of the environment concerns it. */
export interface ManagerAddress {
  readonly NOTIFY_SOCKET: string;
  readonly PATH: string | undefined;
}

export class Notifier {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** @param onLost told why a message did not reach the manager */
  constructor(
    private readonly address: ManagerAddress,
    private readonly onLost: (reason: string) => void,
  ) {}

  /**
   * Sends one message, after those before it.
   * @param state assignments such as `READY=1`
   */
  notify(...state: string[]): void {
    this.#waiting++;
    this.#last = this.#last
      .then(() => this.#send(state))
      .finally(() => {
        this.#waiting--;
      });
  }

  /**
   * Says that the service lives, twice as often as it must. It is the event loop that says it: a service that hangs falls silent.
   * @param timeoutUs microseconds of silence after which the manager ends the service
   */
  startWatchdog(timeoutUs: number): void {
    setInterval(() => {
      if (this.#waiting === 0) this.notify('WATCHDOG=1');
    }, timeoutUs / 2_000).unref();
  }

  /** That there is no program, or no memory for another process, is no reason to stop serving. */
  async #send(state: readonly string[]): Promise<void> {
    const options = { env: { ...this.address }, timeout: TIMEOUT_MS };
    try {
      await run('systemd-notify', state, options);
    } catch (error) {
      this.onLost(error instanceof Error ? error.message : String(error));
    }
  }
}
