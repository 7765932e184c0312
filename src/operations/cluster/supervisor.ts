/**
 * Supervisor: keeps `WORKERS` workers serving, replaces them in turn, and ends them all. Knows nothing of lines, and not who tells it
 * to do so.
 */
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, Optional } from '@nestjs/common';
import { type Settings, settings } from '../config/settings.js';
import { LISTENING_SOCKET } from '../systemd/listening-socket.js';
import { Place } from './place.js';
import { Port } from './port.js';
import { RestartDelay } from './restart-delay.js';
import { SupervisorLog } from './supervisor-log.js';
import { WorkerPool } from './worker-pool.js';
import type { WorkerProcess } from './worker-process.js';
import { WorkersError } from './workers-error.js';

/** So many workers in a row that end before any was ready: no further one is tried. */
const MAX_ENDS = 5;
/** Exit codes above it are those of a process that a signal ended at once. */
const SIGNALLED = 128;

@Injectable()
export class Supervisor implements BeforeApplicationShutdown {
  /** How often another worker has come to serve in the place of one, and why: it had ended, or all were to be new. */
  readonly restarts = { ended: 0, reload: 0 };
  /** Whether no new clients should be sent here. */
  isLeaving = false;
  readonly #places: Place[] = [];
  readonly #port: Port;
  #address: AddressInfo | string = '';
  #isClosing = false;
  #restartsAsked = 0;
  #started: Promise<void> | undefined;

  constructor(
    @Inject(settings.KEY) private readonly given: Settings,
    private readonly pool: WorkerPool,
    private readonly log: SupervisorLog,
    @Optional() @Inject(LISTENING_SOCKET) private readonly fd?: number,
  ) {
    this.#port = new Port(given, {
      onClient: (socket) => pool.give(socket),
      onError: (error) => log.failed(error),
    });
    process.on('exit', (code) => {
      if (code > SIGNALLED) pool.killAll();
    });
  }

  /** How many of the `WORKERS` places have a worker that serves; who is being replaced has none. */
  get serving(): number {
    return this.#serving.length;
  }

  /** Whether anyone takes clients. */
  get isListening(): boolean {
    return this.serving > 0;
  }

  /** Conversations that are not over, of those workers; one that is retired has others, and room for nobody. */
  get open(): number {
    return this.#serving.reduce((sum, { open }) => sum + open, 0);
  }

  /** The most conversations at once, of the same. */
  get max(): number {
    return this.#serving.reduce((sum, { max }) => sum + max, 0);
  }

  /** How many clients no process had room for: each was closed without a word. */
  get dropped(): number {
    return this.#port.dropped;
  }

  /**
   * Resolves when the first worker serves; the others follow.
   * @throws {LineError} if the port cannot be had
   * @throws {WorkersError} if no worker comes to serve
   */
  start(): Promise<void> {
    this.#started = this.#startAll();
    return this.#started;
  }

  /** From now on new clients should be sent elsewhere; those that come are served. */
  leave(): void {
    this.isLeaving = true;
  }

  /**
   * Replaces every worker by a new one, one after the other; and once more after that, if it is asked for meanwhile. Waits for the start;
   * where that fails, nothing is left to do.
   */
  async restart(): Promise<void> {
    this.#restartsAsked = Math.min(this.#restartsAsked + 1, 2);
    if (this.#restartsAsked === 2) return;
    const isStarted = await this.#started?.then(
      () => true,
      () => false,
    );
    if (isStarted !== true) return;
    for (; this.#restartsAsked > 0; this.#restartsAsked--) await this.#restartAll();
  }

  /** Ends everything: the clients that have come are served first. */
  async beforeApplicationShutdown(): Promise<void> {
    this.leave();
    this.#isClosing = true;
    for (const place of this.#places) place.close();
    const hasServed = this.#places.length > 0;
    await this.#port.close();
    const cut = await this.pool.close(() => {
      if (hasServed) this.log.service.leaving(this.pool.open);
    });
    if (hasServed) this.log.service.left(cut);
  }

  get #serving(): WorkerProcess[] {
    return this.#places
      .map(({ worker }) => worker)
      .filter((worker) => this.pool.has(worker) && worker.max > 0);
  }

  async #startAll(): Promise<void> {
    const { HOST: host, PORT: port, WORKERS } = this.given;
    this.#address = await this.#port.listen(
      this.fd === undefined ? { ...(host && { host }), port } : { fd: this.fd },
    );
    const first = await this.#startFirst();
    if (first === undefined) return;
    this.log.service.listening(this.#address);
    const successor = (): WorkerProcess => this.#revive();
    this.#places.push(new Place(first, successor));
    while (this.#places.length < WORKERS) this.#places.push(new Place(this.#start(), successor));
  }

  /**
   * Only one at first, so that a fault that none survives is told once.
   * @returns `undefined` if the service is to end before one serves
   */
  async #startFirst(): Promise<WorkerProcess | undefined> {
    const delay = new RestartDelay();
    for (;;) {
      const worker = this.#start();
      const isReady = await worker.ready;
      if (this.#isClosing) return undefined;
      if (isReady) return worker;
      const { code } = await worker.ended;
      const delayMs = delay.after(false);
      if (code === 1 || delay.endsInARow === MAX_ENDS) throw new WorkersError(delay.endsInARow);
      await pause(delayMs);
      if (this.#isClosing) return undefined;
    }
  }

  #start(): WorkerProcess {
    return this.pool.start(this.#address);
  }

  /** Another worker, in the place of one that has ended. */
  #revive(): WorkerProcess {
    const worker = this.#start();
    void this.#count(worker);
    return worker;
  }

  async #count(successor: WorkerProcess): Promise<void> {
    if (await successor.ready) this.restarts.ended++;
  }

  async #restartAll(): Promise<void> {
    if (this.isLeaving) return;
    this.log.restartStarted();
    for (const place of this.#places) {
      const worker = this.#start();
      if (!(await worker.ready)) {
        await worker.ended; // which the log has told by then
        if (!this.#isClosing) this.log.restartFailed(worker);
        return;
      }
      this.restarts.reload++;
      await this.pool.retire(place.replace(worker));
      if (this.isLeaving) return;
    }
    this.log.restartFinished();
  }
}
