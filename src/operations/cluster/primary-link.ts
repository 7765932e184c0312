/**
 * PrimaryLink: a worker's side of what it has to do with its primary: clients come from there, and the word to leave. Signals are
 * the primary's alone. Knows nothing of how clients are served.
 */
import cluster from 'node:cluster';
import type { AddressInfo } from 'node:net';
import { Socket } from 'node:net';
import { setDefaultHighWaterMark } from 'node:stream';
import type { INestApplicationContext } from '@nestjs/common';
import { type Acceptor, LineServer } from '../../line-transport/index.js';
import type { Metrics, ToPrimary, ToWorker } from './messages.js';

/** How long the primary may believe that there are more conversations than there are. */
const TELL_MS = 100;

/** A worker that serves. */
interface Serving {
  readonly app: INestApplicationContext;
  readonly server: LineServer;
  readonly max: number;
  readonly metrics: () => Promise<Metrics>;
}

export class PrimaryLink {
  readonly #begun: Promise<AddressInfo | string>;
  #onBegin: ((address: AddressInfo | string) => void) | undefined;
  #take: ((socket: Socket) => void) | undefined;
  #serving: Serving | undefined;
  #isLeaving = false;
  #isTelling = false;
  #cut = 0;

  /**
   * From now on no signal ends this process: a terminal's Ctrl-C and a supervisor's SIGTERM may reach all of them at once.
   * @param maxUnreadBytes a socket that comes from elsewhere has no `highWaterMark` of its own
   */
  constructor(maxUnreadBytes: number) {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined);
    setDefaultHighWaterMark(false, maxUnreadBytes);
    // Otherwise node:cluster ends a worker without its primary at once, whatever it has not answered yet.
    if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
    this.#begun = new Promise((resolve) => {
      this.#onBegin = resolve;
    });
    process.on('message', (message: ToWorker, socket: unknown) => this.#hear(message, socket));
    process.on('disconnect', () => void this.#leave());
    this.#send({ type: 'started' });
  }

  /** Numbers the workers since the start of the service. */
  get id(): number {
    return cluster.worker?.id ?? 0;
  }

  /** The clients of a worker's line server. */
  readonly acceptor: Acceptor = (take) => {
    this.#take = take;
    return this.#begun;
  };

  /**
   * Tells the primary that clients can be sent here.
   * @param metrics what has been counted here
   */
  serve(app: INestApplicationContext, metrics: () => Promise<Metrics>): void {
    const server = app.get(LineServer);
    const { max } = server.stats().connections;
    const serving = { app, server, max, metrics };
    this.#serving = serving;
    server.on('disconnection', () => this.#tellLeft(serving));
    server.on('refused', () => this.#tellLeft(serving));
    server.on('closed', (cut) => {
      this.#cut = cut;
    });
    this.#send({ type: 'ready', max });
  }

  #hear(message: ToWorker, socket: unknown): void {
    switch (message.type) {
      case 'begin':
        this.#onBegin?.(message.address);
        break;
      case 'client':
        this.#takeClient(socket);
        break;
      case 'report':
        void this.#report();
        break;
      case 'ask':
        if (this.#serving !== undefined) this.#tell(this.#serving);
        break;
      case 'leave':
        void this.#leave();
    }
  }

  /** @param socket `undefined` for a client that was gone before it could be sent */
  #takeClient(socket: unknown): void {
    const serving = this.#serving;
    if (serving === undefined) return; // none is sent before
    this.#send({ type: 'taken', open: placesOf(serving) + 1 });
    if (socket instanceof Socket) this.#take?.(socket);
    this.#tellSoon(serving); // no event tells of a client that has gone before it was served
  }

  /** One more client may come at once where there was no room; else it is no haste. */
  #tellLeft(serving: Serving): void {
    const open = placesOf(serving);
    if (open === serving.max - 1) this.#send({ type: 'open', open });
    this.#tellSoon(serving);
  }

  #tellSoon(serving: Serving): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setTimeout(() => {
      this.#isTelling = false;
      this.#tell(serving);
    }, TELL_MS);
  }

  #tell(serving: Serving): void {
    this.#send({ type: 'open', open: placesOf(serving) });
  }

  async #report(): Promise<void> {
    if (this.#serving === undefined) return;
    this.#send({ type: 'report', metrics: await this.#serving.metrics() });
  }

  /** Answers what has arrived, and ends. */
  async #leave(): Promise<void> {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    await this.#serving?.app.close();
    await this.#report();
    this.#send({ type: 'left', cut: this.#cut }, () => process.exit(0));
  }

  /** Where the primary has gone, nobody is told. */
  #send(message: ToPrimary, onSent: () => void = () => undefined): void {
    if (process.connected) process.send?.(message, undefined, undefined, onSent);
    else onSent();
  }
}

/** Clients that are served, or will be when their PROXY header has come, and TLS is agreed on. */
function placesOf({ server }: Serving): number {
  const { open, arriving } = server.stats().connections;
  return open + arriving;
}
