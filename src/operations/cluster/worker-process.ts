/**
 * WorkerProcess: one worker, as the primary sees it: from its start to its end. Knows nothing of other workers.
 */
import cluster, { type Worker } from 'node:cluster';
import type { AddressInfo, Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Taker } from './distribution.js';
import type { Metrics, ToPrimary, ToWorker } from './messages.js';

/** How long a worker may take to be ready. */
const START_MS = 30_000;
/**
 * How long it may take to take a client, which is the first thing it does when it hears anything. No collection of garbage and no busy
 * machine keeps a process from that for so long: who does not hangs.
 */
const TAKE_MS = 10_000;
/** How often it is asked whether it is there; who has said nothing since the last time hangs. */
const ASK_MS = 10_000;
/** How long it may take to tell what it has counted; of one that does not, the last numbers are told. */
const REPORT_MS = 1_000;

/** How a process ended. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it did not even begin. */
  readonly error?: Error;
}

export class WorkerProcess implements Taker<Socket> {
  /** Resolves with `false` if it ends first. */
  readonly ready: Promise<boolean>;
  /** Resolves when it has ended, and its last message was heard. */
  readonly ended: Promise<WorkerEnd>;
  /** Its log. */
  readonly output: Readable | null;
  /** `undefined` if the system did not let it begin. */
  readonly #worker: Worker | undefined;
  #onReady: ((isReady: boolean) => void) | undefined;
  #onTaken: ((isTaken: boolean) => void) | undefined;
  #onReport: (() => void) | undefined;
  #onIdle: (() => void) | undefined;
  #report: Promise<void> | undefined;
  #metrics: Metrics = [];
  #max = 0;
  #open = 0;
  #cut: number | undefined;
  #isLeaving = false;
  #isKilled = false;
  /** Whether it has said anything since it was asked. */
  #isHeard = true;
  #askedAt = 0;
  #watch: NodeJS.Timeout | undefined;

  /**
   * @param env its environment; a variable that is `undefined` there, it has not
   * @param address where clients connect
   * @param onHung called if it is not ready in time, does not answer, or does not take a client, which is given back when it has ended
   */
  constructor(
    env: NodeJS.ProcessEnv,
    private readonly address: AddressInfo | string,
    private readonly onHung: (worker: WorkerProcess) => void,
  ) {
    cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    const worker = fork(env);
    this.#worker = worker instanceof Error ? undefined : worker;
    this.output = this.#worker?.process.stdout ?? null;
    this.ended = endOf(worker);
    this.ready = new Promise((resolve) => {
      const stop = deadline(START_MS, () => this.#hang());
      this.#onReady = (isReady) => {
        stop();
        resolve(isReady);
      };
    });
    void this.#followEnd();
    this.#worker?.on('message', (message: ToPrimary) => this.#hear(message));
  }

  /** Numbers the workers since the start of the service; 0 for one that did not even begin. */
  get id(): number {
    return this.#worker?.id ?? 0;
  }

  get pid(): number | undefined {
    return this.#worker?.process.pid;
  }

  /** Its conversations that are not over, as far as it has told. */
  get open(): number {
    return this.#open;
  }

  /** The most conversations that it has at once; 0 until it is ready. */
  get max(): number {
    return this.#max;
  }

  get hasRoom(): boolean {
    return this.#open < this.#max;
  }

  /** How many conversations were cut by its end. */
  get cut(): number {
    return this.#cut ?? this.#open;
  }

  /** Whether it was ended, or told to end and did so in order; otherwise something is wrong with it. */
  hasObeyed({ code }: WorkerEnd): boolean {
    return this.#isKilled || (this.#isLeaving && code === 0);
  }

  /** What it has counted, as far as it has told. */
  get metrics(): Metrics {
    return this.#metrics;
  }

  take(socket: Socket): Promise<boolean> {
    return new Promise((resolve) => {
      const stop = deadline(TAKE_MS, () => this.#hang());
      this.#onTaken = (isTaken) => {
        stop();
        resolve(isTaken);
      };
      this.#send({ type: 'client' }, socket);
    });
  }

  /** Asks for what it has counted. Who asks at the same time is told the same. */
  report(): Promise<void> {
    this.#report ??= this.#askForReport().finally(() => {
      this.#report = undefined;
    });
    return this.#report;
  }

  /** Resolves when it has no conversation any more, as far as it has told. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#open === 0) resolve();
    });
  }

  /** No client will be given to it any more: it finishes, and ends. */
  leave(): void {
    this.#isLeaving = true;
    this.#send({ type: 'leave' });
  }

  /** Ends it at once. */
  kill(): void {
    this.#isKilled = true;
    this.#worker?.kill('SIGKILL');
  }

  /** Nobody waits for one that has ended. */
  async #followEnd(): Promise<void> {
    await this.ended;
    clearInterval(this.#watch);
    this.#onReady?.(false);
    this.#onTaken?.(false);
    this.#onReport?.();
  }

  /** What it said is heard first; and where the primary itself stood still, nobody has had the time to answer. */
  #askWhetherThere(): void {
    const now = performance.now();
    const isLate = now - this.#askedAt > 2 * ASK_MS;
    this.#askedAt = now;
    setImmediate(() => {
      if (!this.#isHeard && !isLate) this.#hang();
      this.#isHeard = false;
      this.#send({ type: 'ask' });
    });
  }

  #hang(): void {
    if (!this.#isKilled) this.onHung(this);
  }

  #askForReport(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, REPORT_MS);
      this.#onReport = () => {
        clearTimeout(timer);
        resolve();
      };
      const isThere = this.#max > 0 && this.#worker?.isConnected() === true;
      if (isThere) this.#send({ type: 'report' });
      else this.#onReport();
    });
  }

  #hear(message: ToPrimary): void {
    this.#isHeard = true;
    switch (message.type) {
      case 'started':
        this.#send({ type: 'begin', address: this.address });
        break;
      case 'ready':
        this.#max = message.max;
        this.#askedAt = performance.now();
        this.#watch = setInterval(() => this.#askWhetherThere(), ASK_MS);
        this.#onReady?.(true);
        break;
      case 'taken':
        this.#open = message.open;
        this.#onTaken?.(true);
        break;
      case 'open':
        this.#open = message.open;
        if (message.open === 0) this.#onIdle?.();
        break;
      case 'report':
        this.#metrics = message.metrics;
        this.#onReport?.();
        break;
      case 'left':
        this.#cut = message.cut;
    }
  }

  /** A worker that cannot be spoken to is of no use. That it was ended for this is told as its end. */
  #send(message: ToWorker, socket?: Socket): void {
    const onSent = (error: Error | null): void => {
      if (error === null) return;
      this.#onTaken?.(false);
      this.#worker?.kill('SIGKILL');
    };
    // The socket is closed here when it is taken there: until then it can be given to another one.
    if (socket === undefined) this.#worker?.send(message, onSent);
    else this.#worker?.send(message, socket, { keepOpen: true }, onSent);
  }
}

/**
 * Calls back after so long, unless it is stopped. What has been said by then is heard first, also where this process stood still:
 * timers run before messages are read.
 * @returns stops it
 */
function deadline(ms: number, onOver: () => void): () => void {
  let over: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    over = setImmediate(onOver);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(over);
  };
}

/** A new process; or why the system has none for it: no memory, say. */
function fork(env: NodeJS.ProcessEnv): Worker | Error {
  try {
    return cluster.fork(env);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/**
 * When a process has ended, what it said last may not have been read yet; its channel is closed when it has. Node does not always say
 * so: there is no 'disconnect' for a worker that dies while a socket is on its way to it.
 */
async function endOf(worker: Worker | Error): Promise<WorkerEnd> {
  if (worker instanceof Error) return { code: null, signal: null, error: worker };
  const end = await new Promise<WorkerEnd>((resolve) => {
    worker.on('exit', () => {
      resolve({ code: worker.process.exitCode, signal: worker.process.signalCode });
    });
    worker.on('error', (error) => {
      if (worker.process.pid === undefined) resolve({ code: null, signal: null, error });
    });
  });
  while (worker.isConnected()) await nextTurn();
  return end;
}
