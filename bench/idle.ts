/**
 * What an idle connection costs: the growth of a Node server's process from before to after many connections. The bench itself is the
 * client. Knows nothing of statistics.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as v from 'valibot';
import type { Contender } from './contenders.js';
import { compiled } from './programs.js';
import type { Sample } from './samples.js';
import { HOST, ServerProcess } from './server-process.js';

/** Connections opened at once; fewer than the backlog of every server. */
const AT_ONCE = 250;
/** Opened and closed before the first measurement, so that what is loaded and compiled once is not counted. */
const WARM_UP = 250;

export interface IdleOptions {
  readonly connections: number;
  /**
   * V8 keeps up to three times this for young objects, however many connections there are; with its own default of 16 that room
   * differs from run to run by more than the connections need.
   */
  readonly youngMib: number;
}

/** What servers/memory-probe.ts tells. */
const Memory = v.object({ rss: v.number(), heap: v.number() });
type Memory = v.InferOutput<typeof Memory>;

export async function idle(
  contender: Contender,
  { connections, youngMib }: IdleOptions,
): Promise<Sample> {
  const server = await ServerProcess.start(contender, {
    nodeArgs: nodeArgs(youngMib),
  });
  const clients: Socket[] = [];
  try {
    await warmUp(server);
    const before = await memory(server);
    for (let first = 0; first < connections; first += AT_ONCE) {
      clients.push(...(await open(server, first, Math.min(AT_ONCE, connections - first))));
    }
    await sleep(1_000);
    const whenIdle = await memory(server);
    for (let first = 0; first < connections; first += AT_ONCE) {
      await askEach(clients.slice(first, first + AT_ONCE), contender);
    }
    await sleep(1_000);
    const whenSpoken = await memory(server);
    const growth = (after: Memory, kind: keyof Memory): number =>
      (after[kind] - before[kind]) / connections / 1_024;
    return {
      idleRss: growth(whenIdle, 'rss'),
      idleHeap: growth(whenIdle, 'heap'),
      spokenRss: growth(whenSpoken, 'rss'),
      spokenHeap: growth(whenSpoken, 'heap'),
    };
  } finally {
    await server.stop();
    for (const client of clients) client.destroy();
  }
}

function nodeArgs(youngMib: number): readonly string[] {
  const probe = compiled('servers/memory-probe.js');
  return ['--expose-gc', `--max-semi-space-size=${youngMib}`, '--import', probe];
}

async function warmUp(server: ServerProcess): Promise<void> {
  const clients = await open(server, 0, WARM_UP);
  await askEach(clients, server.contender);
  await Promise.all(
    clients.map((client) => {
      client.end(server.contender.goodbye);
      return once(client, 'close');
    }),
  );
  await sleep(1_500);
}

async function memory({ child }: ServerProcess): Promise<Memory> {
  child.send('memory');
  const [told]: unknown[] = await once(child, 'message');
  return v.parse(Memory, told);
}

function open({ port }: ServerProcess, first: number, count: number): Promise<Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      // Each source address brings ports of its own: Linux has all of 127.0.0.0/8.
      const localAddress = `127.0.0.${2 + ((first + index) % 20)}`;
      const socket = connect({ host: HOST, port, localAddress });
      await once(socket, 'connect');
      socket.resume();
      socket.on('error', () => undefined);
      return socket;
    }),
  );
}

async function askEach(clients: readonly Socket[], { request }: Contender): Promise<void> {
  await Promise.all(
    clients.map((client) => {
      client.write(request);
      return once(client, 'data');
    }),
  );
}
