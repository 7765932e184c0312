/**
 * Supervisor: keeps `WORKERS` workers serving, replaces them in turn, and ends them all. Knows nothing of lines, and not who tells it
 * to do so.
 */
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, Optional } from '@nestjs/common';
import { roomForSockets } from '../../line-transport/index.js';
import { type Settings, settings } from '../config/settings.js';
import { LISTENING_SOCKET } from '../systemd/listening-socket.js';
import { Distribution } from './distribution.js';
import { LogRelay } from './log-relay.js';
import { Port } from './port.js';
import { RestartDelay } from './restart-delay.js';
import { SupervisorLog } from './supervisor-log.js';
import { workerEnvironment } from './worker-environment.js';
import { WorkerProcess } from './worker-process.js';
import { WorkersError } from './workers-error.js';

/** So many workers in a row that end before any was ready: no further one is tried. */
const MAX_ENDS = 5;
/** How much longer than `SHUTDOWN_GRACE_MS` all may take to end. */
const END_MS = 5_000;
/** How much of that clients may take who have come already: each worker takes one in a moment, and one that hangs never does. */
const SETTLE_MS = 2_000;
/** What a worker takes of the primary's descriptors: its channel and its log. */
const WORKER_DESCRIPTORS = 2;
/** How long the last log lines of a worker may take to be read. */
const RELAY_MS = 1_000;
/** Exit codes above it are those of a process that a signal ended at once. */
const SIGNALLED = 128;

/** One of `WORKERS` places, and who is in it. */
interface Place {
  worker: WorkerProcess;
  readonly delay: RestartDelay;
}

@Injectable()
export class Supervisor implements BeforeApplicationShutdown {
  /** How often a worker was replaced, and why: it had ended, or all were to be new. */
  readonly restarts = { ended: 0, reload: 0 };
  /** Whether no new clients should be sent here. */
  isLeaving = false;
  /** Every process there is, with its end. */
  readonly #workers = new Map<WorkerProcess, Promise<void>>();
  readonly #places: Place[] = [];
  readonly #distribution = new Distribution<Socket>((socket) => socket.destroy()); // the worker has it, too
  readonly #relay = new LogRelay(process.stdout);
  readonly #port: Port;
  #address: AddressInfo | string = '';
  #restartsAsked = 0;
  #started: Promise<void> | undefined;
  #onGone: (worker: WorkerProcess) => void = () => undefined;

  constructor(
    @Inject(settings.KEY) private readonly given: Settings,
    private readonly log: SupervisorLog,
    @Optional() @Inject(LISTENING_SOCKET) private readonly fd?: number,
  ) {
    this.#port = new Port((socket) => this.#distribution.give(socket), maxHeld(given));
    process.on('exit', (code) => {
      if (code > SIGNALLED) for (const worker of this.#workers.keys()) worker.kill();
    });
  }

  /** Those that have not ended. */
  get workers(): WorkerProcess[] {
    return [...this.#workers.keys()];
  }

  /** How many of the `WORKERS` places have a worker that serves; who is being replaced has none. */
  get serving(): number {
    return this.#places.filter(({ worker }) => this.#workers.has(worker) && worker.max > 0).length;
  }

  /** Whether anyone takes clients. */
  get isListening(): boolean {
    return this.max > 0;
  }

  /** Conversations that are not over, of all workers. */
  get open(): number {
    return this.workers.reduce((sum, { open }) => sum + open, 0);
  }

  /** The most conversations at once, of all workers that are there. */
  get max(): number {
    return this.workers.reduce((sum, { max }) => sum + max, 0);
  }

  /** @param listener told of every worker that has ended */
  onGone(listener: (worker: WorkerProcess) => void): void {
    this.#onGone = listener;
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

  async #startAll(): Promise<void> {
    const { HOST: host, PORT: port, WORKERS } = this.given;
    this.#address = await this.#port.listen(
      this.fd === undefined ? { ...(host && { host }), port } : { fd: this.fd },
    );
    this.#port.onError((error) => this.log.failed(error));
    const first = await this.#startFirst();
    if (this.isLeaving) return;
    this.log.service.listening(this.#address);
    this.#places.push(first);
    while (this.#places.length < WORKERS) this.#places.push(this.#newPlace());
    for (const place of this.#places) void this.#keep(place);
  }

  /** From now on nobody is revived, and new clients should be sent elsewhere; those that come are served. */
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
    const begun = performance.now();
    await this.#port.close();
    if (this.#workers.size === 0) return; // none came to serve
    await Promise.race([this.#distribution.settle(), pause(SETTLE_MS)]);
    const passedMs = performance.now() - begun;
    const workers = [...this.workers];
    this.log.service.leaving(this.open);
    await Promise.all(workers.map((worker) => this.#end(worker, passedMs)));
    this.log.service.left(workers.reduce((sum, { cut }) => sum + cut, 0));
  }

  /** Only one at first, so that a fault that none survives is told once. */
  async #startFirst(): Promise<Place> {
    const place = this.#newPlace();
    while (!(await place.worker.ready) && !this.isLeaving) {
      const end = await place.worker.ended;
      this.log.ended(place.worker, end);
      const delayMs = place.delay.after(false);
      const isHopeless = end.code === 1 || place.delay.endsInARow === MAX_ENDS;
      if (isHopeless) throw new WorkersError(place.delay.endsInARow);
      await pause(delayMs);
      place.worker = this.#start();
    }
    return place;
  }

  /** The loop of one place: whoever ends there is replaced, until the service is to end. */
  async #keep(place: Place): Promise<void> {
    while (!this.isLeaving) {
      const { worker } = place;
      const end = await worker.ended;
      if (this.isLeaving || worker !== place.worker) continue;
      this.log.ended(worker, end);
      await pause(place.delay.after(worker.max > 0));
      if (this.isLeaving || worker !== place.worker) continue;
      this.restarts.ended++;
      place.worker = this.#start();
    }
  }

  async #restartAll(): Promise<void> {
    if (this.isLeaving) return;
    this.log.restartStarted();
    for (const place of this.#places) {
      if (this.isLeaving) return;
      const worker = this.#start();
      const isReady = await worker.ready;
      if (this.isLeaving) return;
      if (!isReady) {
        await this.#tellFailed(worker);
        return;
      }
      const old = place.worker;
      place.worker = worker;
      this.restarts.reload++;
      await this.#retire(old);
    }
    this.log.restartFinished();
  }

  /** Why a process did not serve it has told itself, unless it did not even begin. */
  async #tellFailed(worker: WorkerProcess): Promise<void> {
    const end = await worker.ended;
    if (end.error !== undefined) this.log.ended(worker, end);
    this.log.restartFailed(worker);
  }

  #newPlace(): Place {
    return { worker: this.#start(), delay: new RestartDelay() };
  }

  #start(): WorkerProcess {
    const env = workerEnvironment(this.given.WORKERS);
    const worker = new WorkerProcess(env, this.#address, (hung) => this.#kill(hung));
    this.#workers.set(worker, this.#follow(worker));
    return worker;
  }

  /** A worker, from its start to its end. */
  async #follow(worker: WorkerProcess): Promise<void> {
    const relayed = worker.output && this.#relay.pass(worker.output);
    if (await worker.ready) {
      this.#distribution.add(worker);
      this.log.ready(worker);
    } else {
      worker.kill();
    }
    await worker.ended;
    void this.#distribution.remove(worker);
    await Promise.race([relayed, pause(RELAY_MS, undefined, { ref: false })]);
    this.#workers.delete(worker);
    this.#onGone(worker);
  }

  /** Conversations may end by themselves first: a drain takes the first silence for the end, and a line may be on its way. */
  async #retire(worker: WorkerProcess): Promise<void> {
    await this.#distribution.remove(worker);
    await Promise.race([worker.idle(), pause(this.given.SHUTDOWN_GRACE_MS)]);
    await this.#end(worker);
  }

  /**
   * Has a worker finish and end; one that serves nobody yet, and one that takes too long, is ended at once.
   * @param passedMs how much of its time is over
   */
  async #end(worker: WorkerProcess, passedMs = 0): Promise<void> {
    const limitMs = this.given.SHUTDOWN_GRACE_MS + END_MS - passedMs;
    const kill = setTimeout(() => this.#kill(worker), limitMs);
    if (worker.max > 0) worker.leave();
    else worker.kill();
    await this.#workers.get(worker);
    clearTimeout(kill);
  }

  /** It does not do in time what it is told. */
  #kill(worker: WorkerProcess): void {
    this.log.killed(worker);
    worker.kill();
  }
}

/** The most clients that are held until a worker takes them: some descriptors are left for workers. */
function maxHeld({ MAX_CONNECTIONS, WORKERS }: Settings): number {
  const room = roomForSockets()?.room ?? Infinity;
  return Math.max(Math.min(MAX_CONNECTIONS, room - WORKERS * WORKER_DESCRIPTORS), 1);
}
