/**
 * Stage: what an attack is given: a service, processes of clients, and how both are observed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Act } from './act.js';
import { pipeline } from './acts/pipeline.js';
import { startWitness, stopWitness, type Witnessed } from './acts/witness.js';
import { ClientProcess } from './client-process.js';
import type { Service } from './service.js';
import type { Vitals } from './vitals.js';

/** An act may take so long, unless it is told for how long it goes on; a bound, not a promise. */
const ACT_MS = 300_000;
/** So long the service may take to be rid of clients that have gone. */
const LEAVE_MS = 20_000;
const LOOK_MS = 50;
/** Enough that what is compiled and allocated once is. */
const WARM_UP = { connections: 20, lines: 20_000, script: 'mixed', pauseMs: 0 } as const;
const WITNESS = { everyMs: 5, newcomerEveryMs: 100 };

/** What a witness saw, and whether what it saw was the service's doing. */
export interface Watched {
  readonly witness: Witnessed;
  /** The part of the time in which the service had work and no processor. */
  readonly starved: number;
}

/** What was seen during something. */
export interface Observed<Result> extends Watched {
  readonly result: Result;
  readonly before: Vitals;
  readonly after: Vitals;
  /** The most memory meanwhile, less what there was before, in MiB. */
  readonly growthMib: number;
  /** What is left of it when everybody has gone and garbage is collected. */
  readonly remainsMib: number;
}

export class Stage {
  readonly #clients: ClientProcess[] = [];
  /** Those of them that have done what they were for. */
  readonly #free: ClientProcess[] = [];

  /** @param scale the part of its full size that an attack has, up to 1 */
  constructor(
    readonly service: Service,
    private readonly scale: number,
  ) {}

  /** The clients leave; the service stays. */
  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
  }

  /** A number of the attack, in its present size. */
  sized(full: number, least = 1): number {
    return Math.max(least, Math.round(full * this.scale));
  }

  /** One more process of clients. */
  async clients(): Promise<ClientProcess> {
    const clients = await ClientProcess.start(this.service.port);
    this.#clients.push(clients);
    return clients;
  }

  /** Has clients do this: those of this process, or of one that has nothing else to do. */
  async perform<Task, Told>(
    act: Act<Task, Told>,
    task: Task,
    clients?: ClientProcess,
    withinMs = ACT_MS,
  ): Promise<Told> {
    if (clients !== undefined) return clients.perform(act, task, withinMs);
    const free = this.#free.pop() ?? (await this.clients());
    const told = await free.perform(act, task, withinMs);
    this.#free.push(free);
    return told;
  }

  /** So that what is compiled and allocated once is not counted. */
  async warmUp(): Promise<void> {
    await this.perform(pipeline, { ...WARM_UP, lines: this.sized(WARM_UP.lines) });
    await this.untilOnly(0);
  }

  /** Resolves when so many connections are open, at the latest after {@link LEAVE_MS}. @returns how many are */
  async untilOnly(connections: number): Promise<number> {
    const until = Date.now() + LEAVE_MS;
    while (this.service.vitals().connections > connections && Date.now() < until) {
      await sleep(LOOK_MS);
    }
    return this.service.vitals().connections;
  }

  /** Does something while a healthy client asks all the time. */
  async watch<Result>(
    something: () => Promise<Result>,
  ): Promise<Watched & { readonly result: Result }> {
    const watching = await this.clients();
    await this.perform(startWitness, WITNESS, watching);
    const starvation = this.service.starvation();
    const result = await something();
    const starved = starvation.part();
    return { result, starved, witness: await this.perform(stopWitness, null, watching) };
  }

  /** The same, and what it does to the service. */
  async observe<Result>(something: () => Promise<Result>): Promise<Observed<Result>> {
    const { service } = this;
    await this.warmUp();
    const collectedBefore = await service.collected();
    const before = service.vitals();
    service.forgetPeak();
    const watched = await this.watch(something);
    await this.untilOnly(before.connections);
    const growthMib = service.peakMib() - before.rssMib;
    const collectedAfter = await service.collected();
    return {
      ...watched,
      before,
      after: service.vitals(),
      growthMib,
      remainsMib: collectedAfter.rssMib - collectedBefore.rssMib,
    };
  }
}
