/** Clients come and go in any order, over real sockets, and a server that closes among them leaves nobody without an answer. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { LineServer } from '../../src/line-transport/index.js';
import { startLineApplication } from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { STEPS, TIME_MS } from './amount.js';
import { FaultController } from './commands.js';
import { MAX_LINE_BYTES, Model } from './model.js';
import { SAID } from './words.js';

const CLIENTS = 4;
/** A sequence over real sockets costs as much as so many steps of a model. */
const SEQUENCE_STEPS = 20;

const does = fc.constantFrom('connect', 'connect', 'send', 'send', 'send', 'fin', 'cut', 'turn');
const step = fc.record({
  does: fc.oneof({ weight: 12, arbitrary: does }, fc.constant('close' as const)),
  who: fc.nat({ max: CLIENTS - 1 }),
  text: fc.constantFrom('PING\n', 'LATER\nPI', 'NG\r\nLIST\n', 'PI', 'no\n', 'QUIT\n', 'EMIT\nQU'),
});
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** A client, and what it is to be told. */
class Visitor {
  /** By what it has sent in all, and by what it had sent when the server was closed. */
  readonly #most = new Model(undefined, 0, false);
  readonly #least = new Model(undefined, 0, false);
  #isClosing = false;
  #hasCut = false;
  #hasEnded = false;

  constructor(
    readonly client: TestClient,
    private readonly isEarly: boolean,
  ) {}

  do(what: Step['does'], text = ''): void {
    if (this.#hasCut || this.#hasEnded) return;
    if (what === 'send') {
      this.client.send(text);
      this.#note((model) => model.send(text));
    } else if (what === 'fin') {
      this.#hasEnded = true;
      this.client.end();
      this.#note((model) => model.sendFin());
    } else if (what === 'cut') {
      this.#hasCut = true;
      this.client.reset();
    }
  }

  /** The server closes: what comes now may be too late. */
  close(): void {
    this.#isClosing = true;
  }

  /** It goes, and has been told what it is owed. */
  async leave(): Promise<void> {
    const { client } = this;
    this.do('fin');
    if (!client.socket.closed) await once(client.socket, 'close').catch(() => undefined);
    const { received } = client;
    assert.equal(received, this.#most.told.slice(0, received.length));
    if (this.#hasCut || !this.isEarly) return;
    assert.equal(client.error, undefined);
    assert.equal(this.#least.told.slice(received.length), '');
  }

  #note(happens: (model: Model) => void): void {
    happens(this.#most);
    if (!this.#isClosing) happens(this.#least);
  }
}

/** One sequence from a server that listens to one that is closed. */
async function visit(server: LineServer, steps: readonly Step[]): Promise<void> {
  const { port } = await listen(server);
  const visitors: (Visitor | undefined)[] = [];
  const all: Visitor[] = [];
  let closed: Promise<void> | undefined;
  const close = (): void => {
    closed ??= server.close();
    for (const visitor of all) visitor.close();
  };
  for (const each of steps) {
    if (each.does === 'close') {
      close();
    } else if (each.does === 'turn') {
      await nextTurn();
    } else if (each.does === 'connect') {
      const client = await TestClient.connect(port).catch(() => undefined);
      if (client === undefined) continue; // the server has closed
      client.socket.setNoDelay(); // or its own system may keep back what it has sent
      const visitor = new Visitor(client, closed === undefined);
      if (closed !== undefined) visitor.close();
      all.push(visitor);
      visitors[each.who]?.do('fin');
      visitors[each.who] = visitor;
    } else {
      visitors[each.who]?.do(each.does, each.text);
    }
  }
  close();
  await Promise.all(all.map((visitor) => visitor.leave()));
  await closed;
}

function listen(server: LineServer): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.listen((error, address) => {
      if (typeof address === 'object') resolve(address);
      else reject(error);
    });
  });
}

/** TCP sockets of this process, listening or not; one that is closed is gone in the next turn of the event loop. */
async function sockets(): Promise<number> {
  await nextTurn();
  await nextTurn();
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length;
}

const unhandled: unknown[] = [];
const note = (error: unknown): void => {
  unhandled.push(error);
};
beforeEach(() => {
  process.on('unhandledRejection', note);
});
afterEach(() => {
  process.off('unhandledRejection', note);
});

it(
  'Clients that come, half say something, leave or cut in any order are all answered and counted, and nothing of them stays',
  async () => {
    const { server } = await startLineApplication([FaultController], {
      maxLineBytes: MAX_LINE_BYTES,
      shutdownGraceMs: 20_000,
      words: SAID,
    });
    await server.close();
    const cuts: number[] = [];
    server.on('closed', (cut) => cuts.push(cut));
    const before = await sockets();
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 30, size: 'max' }),
      async (steps) => {
        await visit(server, steps);
        const { connections, bufferedBytes } = server.stats();
        const ended = Object.values(connections.ended).reduce((sum, count) => sum + count, 0);
        expect({ open: connections.open, bufferedBytes }).toEqual({ open: 0, bufferedBytes: 0 });
        expect(ended).toBe(connections.accepted);
        expect(server.connections.size).toBe(0);
        expect(cuts.filter((cut) => cut > 0)).toEqual([]);
        expect(unhandled).toEqual([]);
      },
    );
    await fc.assert(property, { numRuns: Math.ceil(STEPS / SEQUENCE_STEPS) });
    expect(server.stats().connections.accepted).toBeGreaterThan(0);
    expect(await sockets()).toBe(before);
  },
  TIME_MS,
);
