/**
 * Place: one of the `WORKERS` places, and the worker that is in it. Whoever ends there has a successor. Knows nothing of other places.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { RestartDelay } from './restart-delay.js';
import type { WorkerProcess } from './worker-process.js';

export class Place {
  readonly #delay = new RestartDelay();
  #worker: WorkerProcess;
  #isClosed = false;

  /** @param successor starts a worker, for one that has ended */
  constructor(
    worker: WorkerProcess,
    private readonly successor: () => WorkerProcess,
  ) {
    this.#worker = worker;
    void this.#follow(worker);
  }

  get worker(): WorkerProcess {
    return this.#worker;
  }

  /** @returns who had the place, and is to be ended by whoever calls this */
  replace(worker: WorkerProcess): WorkerProcess {
    const old = this.#worker;
    this.#worker = worker;
    void this.#follow(worker);
    return old;
  }

  /** From now on nobody has a successor. */
  close(): void {
    this.#isClosed = true;
  }

  /** A worker in this place, until another one is. */
  async #follow(worker: WorkerProcess): Promise<void> {
    await worker.ended;
    if (this.#isClosed || worker !== this.#worker) return;
    await pause(this.#delay.after(worker.max > 0));
    if (this.#isClosed || worker !== this.#worker) return;
    this.replace(this.successor());
  }
}
