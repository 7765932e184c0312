/**
 * Systemd: what the process takes from the service manager that started it, and what it tells it.
 */
import { inheritedSocket } from './inherited-socket.js';
import { Notifier } from './notifier.js';
import { SYSTEMD_VARIABLES } from './variables.js';

export class Systemd {
  /** The descriptor of the listening socket that the process was handed; `undefined` if it was handed none. */
  readonly socket: number | undefined;
  readonly #notifier: Notifier | undefined;
  /** Microseconds; `undefined` where nobody watches, or is told already that it lives. */
  #watchdogUs: number | undefined;
  #reloads = 0;
  #isReady = false;
  #isStopping = false;
  #onLost: ((reason: string) => void) | undefined;

  /**
   * Takes its variables out of the environment.
   * @throws {SettingsError} if the service cannot listen on what it was handed
   */
  constructor(env: NodeJS.ProcessEnv) {
    this.socket = inheritedSocket(env);
    this.#watchdogUs = watchdogUs(env);
    const { NOTIFY_SOCKET, PATH } = env;
    for (const name of SYSTEMD_VARIABLES) delete env[name];
    if (!NOTIFY_SOCKET) return;
    this.#notifier = new Notifier({ NOTIFY_SOCKET, PATH }, (reason) => this.#lose(reason));
  }

  /** @param listener told once why the manager cannot be told anything */
  onLost(listener: (reason: string) => void): void {
    this.#onLost = listener;
  }

  /** It serves, unless it has begun to stop meanwhile. From the first time on the watchdog is told that it lives. */
  ready(): void {
    this.#isReady = true;
    if (this.#isStopping) return;
    this.#notifier?.notify('READY=1');
    if (this.#watchdogUs !== undefined) this.#notifier?.startWatchdog(this.#watchdogUs);
    this.#watchdogUs = undefined;
  }

  /** Says that it reloads for as long as it does, and that it is ready then, however that went. Before it serves, it says neither. */
  async reload(work: () => void | Promise<void>): Promise<void> {
    if (!this.#isReady) return work();
    const nowUs = process.hrtime.bigint() / 1_000n; // CLOCK_MONOTONIC, which Type=notify-reload asks for
    if (this.#reloads++ === 0) this.#notifier?.notify('RELOADING=1', `MONOTONIC_USEC=${nowUs}`);
    try {
      await work();
    } finally {
      if (--this.#reloads === 0) this.ready();
    }
  }

  /** It has begun to stop. */
  stopping(): void {
    this.#isStopping = true;
    this.#notifier?.notify('STOPPING=1');
  }

  #lose(reason: string): void {
    this.#onLost?.(reason);
    this.#onLost = undefined;
  }
}

/** How long the manager takes silence for life, if it watches this process: sd_watchdog_enabled(3). */
function watchdogUs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | undefined {
  const isOurs = !WATCHDOG_PID || WATCHDOG_PID === String(process.pid);
  const microseconds = Number(WATCHDOG_USEC);
  return isOurs && microseconds > 0 ? microseconds : undefined;
}
