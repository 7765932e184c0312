/**
 * The proof that clients of two services behind HAProxy do not notice when these are restarted in turn: real services, the real
 * HAProxy with the configuration that is shipped, and several hundred clients who count.
 */
import { describe, expect, it } from 'vitest';
import { connectAtLast, freePort } from '../support/free-port.js';
import { HAProxy } from '../support/haproxy.js';
import { Load } from '../support/load.js';
import { missing } from '../support/programs.js';
import { type Service, startService } from '../support/service.js';

const CLIENTS = { short: 120, pipelined: 20, long: 200 };
const RESTARTS = 10;
/** Longer than HAProxy needs to notice (0.7 s) and a short conversation takes, also where the processor is busy. */
const SHUTDOWN_DELAY_MS = '2000';

/** A service that can be started again in the same place. */
class Replica {
  /** How each of its lives ended. */
  readonly exits: unknown[] = [];
  /** Lines of all the service's lives. */
  received = 0;
  answered = 0;
  /** The log's lines of those that were refused, and of what was left out. */
  readonly complaints: string[] = [];
  #service: Service;

  private constructor(
    readonly name: string,
    readonly port: number,
    readonly checkPort: number,
  ) {
    this.#service = this.#start();
  }

  static async start(name: string): Promise<Replica> {
    const replica = new Replica(name, await freePort(), await freePort());
    await replica.listens();
    return replica;
  }

  async listens(): Promise<void> {
    await this.#service.logs(/"event":"listening"/);
  }

  /** Lets it end, and counts what it did. */
  async stop(): Promise<void> {
    this.exits.push(await this.#service.stop());
    const log = this.#service.stdout;
    this.received += count(log, /"event":"lineReceived".*'TIME'"}$/gm);
    this.answered += count(log, /"event":"replySent"/g);
    this.complaints.push(
      ...(log.match(/^.*"level":"error".*$|^.*(?:Refused|Omitted|Dropped)".*$/gm) ?? []),
    );
    if (this.#service.stderr !== '') this.complaints.push(this.#service.stderr);
  }

  startAgain(): void {
    this.#service = this.#start();
  }

  #start(): Service {
    return startService({
      PORT: String(this.port),
      MANAGEMENT_PORT: String(this.checkPort),
      PROXY_PROTOCOL_TRUST: '127.0.0.1',
      SHUTDOWN_DELAY_MS,
      LOG_FORMAT: 'json',
    });
  }
}

/** HAProxy in front of two of them; its backend calls them as they are called here. */
async function balance(port: number, replicas: readonly Replica[]): Promise<HAProxy> {
  const places = replicas.flatMap(({ port: served, checkPort }, index) => [
    [`SERVICE_${index + 1}`, `127.0.0.1:${served}`],
    [`CHECK_PORT_${index + 1}`, String(checkPort)],
  ]);
  const haproxy = HAProxy.start({
    LISTEN: `127.0.0.1:${port}`,
    METRICS: `127.0.0.1:${await freePort()}`,
    ...(Object.fromEntries(places) as Record<string, string>),
  });
  (await connectAtLast(port)).end('QUIT\n');
  return haproxy;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

describe.skipIf(missing('haproxy'))(
  'Behind HAProxy, of two services that are restarted in turn,',
  () => {
    it(
      'no client is refused, no TIME is lost and none is answered twice',
      { timeout: 400_000 },
      async () => {
        const replicas = await Promise.all(['one', 'two'].map((name) => Replica.start(name)));
        const port = await freePort();
        const haproxy = await balance(port, replicas);
        const load = new Load(port, CLIENTS);
        const tooLate: string[] = [];

        for (let restart = 0; restart < RESTARTS; restart++) {
          for (const replica of replicas) {
            await replica.stop();
            if (haproxy.rotaOf(replica.name) !== 'DOWN') tooLate.push(replica.name);
            replica.startAgain();
            await replica.listens();
            await haproxy.until(replica.name, 'UP');
          }
        }
        await load.stop();
        await haproxy.stop();
        await Promise.all(replicas.map((replica) => replica.stop()));

        const exits = replicas.flatMap((replica) => replica.exits);
        expect(exits).toEqual(exits.map(() => ({ code: 0, signal: null })));
        expect(load.faults).toEqual([]);
        expect(replicas.flatMap(({ complaints }) => complaints)).toEqual([]);
        expect(tooLate).toEqual([]);
        expect(load.asked).toBe(load.answered + load.crossed);
        expect(sum(replicas.map(({ received }) => received))).toBe(load.answered);
        expect(sum(replicas.map(({ answered }) => answered))).toBe(load.answered);
        expect(load.conversations).toBeGreaterThan(10_000);
        expect(load.sentAway).toBeGreaterThan(RESTARTS * CLIENTS.long);
      },
    );
  },
);
