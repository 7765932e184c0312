/**
 * WorkerPool: every worker process there is, from its start to its end, and the clients that each is given. Knows nothing of how many
 * there should be.
 */
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Inject, Injectable } from '@nestjs/common';
import { type Settings, settings } from '../config/settings.js';
import { Distribution } from './distribution.js';
import { LogRelay } from './log-relay.js';
import { SupervisorLog } from './supervisor-log.js';
import { workerEnvironment } from './worker-environment.js';
import { WorkerProcess } from './worker-process.js';

/** How much longer than `SHUTDOWN_GRACE_MS` a worker may take to end. */
const END_MS = 5_000;
/** How much of that clients may take who have come already: each worker takes one in a moment, and one that hangs never does. */
const SETTLE_MS = 2_000;
/** How long the last log lines of a worker may take to be read. */
const RELAY_MS = 1_000;

@Injectable()
export class WorkerPool {
  /** Each with its end. */
  readonly #workers = new Map<WorkerProcess, Promise<void>>();
  readonly #distribution = new Distribution<Socket>((socket) => socket.destroy()); // the worker has it, too
  readonly #relay = new LogRelay(process.stdout);
  #onGone: (worker: WorkerProcess) => void = () => undefined;

  constructor(
    @Inject(settings.KEY) private readonly given: Settings,
    private readonly log: SupervisorLog,
  ) {}

  /** Those that have not ended. */
  get workers(): WorkerProcess[] {
    return [...this.#workers.keys()];
  }

  /** Conversations that are not over, of all workers. */
  get open(): number {
    return this.workers.reduce((sum, { open }) => sum + open, 0);
  }

  has(worker: WorkerProcess): boolean {
    return this.#workers.has(worker);
  }

  /** @param listener told of every worker that has ended */
  onGone(listener: (worker: WorkerProcess) => void): void {
    this.#onGone = listener;
  }

  /** @param address where clients connect */
  start(address: AddressInfo | string): WorkerProcess {
    const env = workerEnvironment(this.given);
    const worker = new WorkerProcess(env, address, (hung) => this.#kill(hung));
    this.#workers.set(worker, this.#follow(worker));
    return worker;
  }

  /** Has some worker serve a client that has connected; it waits until one does. */
  give(socket: Socket): void {
    this.#distribution.give(socket);
  }

  /**
   * Has a worker finish that others have taken the place of. Conversations may end by themselves first: a drain takes the first silence
   * for the end, and a line may be on its way.
   */
  async retire(worker: WorkerProcess): Promise<void> {
    await this.#distribution.remove(worker);
    await Promise.race([worker.idle(), worker.ended, pause(this.given.SHUTDOWN_GRACE_MS)]);
    await this.#end(worker);
  }

  /**
   * Ends all, when they have served the clients that have come.
   * @param onLeaving called when they have been given to somebody
   * @returns how many conversations were cut
   */
  async close(onLeaving: () => void): Promise<number> {
    const begun = performance.now();
    await Promise.race([this.#distribution.settle(), pause(SETTLE_MS)]);
    onLeaving();
    const { workers } = this;
    const passedMs = performance.now() - begun;
    await Promise.all(workers.map((worker) => this.#end(worker, passedMs)));
    return workers.reduce((sum, { cut }) => sum + cut, 0);
  }

  /** Ends all at once. */
  killAll(): void {
    for (const worker of this.workers) worker.kill();
  }

  /** A worker, from its start to its end. */
  async #follow(worker: WorkerProcess): Promise<void> {
    const relayed = worker.output && this.#relay.pass(worker.output);
    if (await worker.ready) {
      this.#distribution.add(worker);
      this.log.ready(worker);
    }
    const end = await worker.ended;
    if (!worker.hasObeyed(end)) this.log.ended(worker, end);
    void this.#distribution.remove(worker);
    await Promise.race([relayed, pause(RELAY_MS, undefined, { ref: false })]);
    this.#workers.delete(worker);
    this.#onGone(worker);
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
