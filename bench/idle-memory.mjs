/**
 * What an idle connection costs: the growth of a server process from before to after N connections, for a bare `node:net`
 * server, a LineServer alone and the whole service. Each server is a process of its own, the rounds are interleaved, and
 * everything started is stopped. Method and result: bench/README.md, bench/results/idle-memory.md.
 *
 *   npm run bench:idle -- [--connections 19000] [--rounds 3] [--young-mib 1]
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const SELF = fileURLToPath(import.meta.url);
const HOST = '127.0.0.1';
/** The servers by name; the first is the baseline. */
const SERVERS = { 'bare node:net': bareServer, LineServer: lineServer, service };
/** Connections opened at once; fewer than the backlog of every server. */
const AT_ONCE = 250;
/** Opened and closed before the first measurement, so that what is loaded and compiled once is not counted. */
const WARM_UP = 250;
/** What is measured: the whole process, and JavaScript's part of it. */
const KINDS = ['rss', 'heap'];
/** The most that the service may cost of what the baseline costs. */
const LIMIT = 1.5;

const role = process.argv[2];
if (process.send !== undefined && role in SERVERS) await serve(role);
else await measureAll();

// --- the server processes ---

async function serve(name) {
  const port = await SERVERS[name]();
  process.on('message', async () => {
    process.send(await memory());
  });
  process.on('disconnect', () => process.exit());
  process.send({ port });
}

/** As little as speaks the protocol at all: lines, replies in order, half-closed clients. */
async function bareServer() {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    let unfinished = '';
    socket.on('data', (chunk) => {
      const lines = (unfinished + chunk.toString('latin1')).split('\n');
      unfinished = lines.pop();
      for (const line of lines) {
        if (line.trim() === 'QUIT') socket.end();
        else socket.write(`JAM ${new Date().toTimeString().slice(0, 8)}\r\n`);
      }
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => socket.destroy());
  });
  server.listen({ host: HOST, port: 0, backlog: 1024 });
  await once(server, 'listening');
  return server.address().port;
}

/** The transport without Nest's application around it. */
async function lineServer() {
  await import('reflect-metadata');
  const { CLOSE, LineServer } = await import('../dist/line-transport/index.js');
  const server = new LineServer({ host: HOST, maxConnections: 1_000_000, idleTimeoutMs: 600_000 });
  server.addHandler('TIME', async () => `JAM ${new Date().toTimeString().slice(0, 8)}`);
  server.addHandler('QUIT', async () => CLOSE);
  const address = await new Promise((resolve, reject) => {
    server.listen((error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return address.port;
}

/** The whole service, as `npm start` runs it, without its log. */
async function service() {
  const port = await freePort();
  Object.assign(process.env, { HOST, PORT: String(port), MAX_CONNECTIONS: '1000000' });
  process.env.LOG_LEVEL = 'silent';
  await import('../dist/main.js');
  return port;
}

async function freePort() {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Memory when everything that can be collected is. */
async function memory() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await sleep(100);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heap: heapUsed };
}

// --- the measuring process, which is also the client ---

async function measureAll() {
  const { values } = parseArgs({
    options: {
      connections: { type: 'string', default: '19000' },
      rounds: { type: 'string', default: '3' },
      // V8 keeps up to three times this for young objects, however many connections there are; with its own default of
      // 16 that room differs from run to run by more than the connections need.
      'young-mib': { type: 'string', default: '1' },
    },
  });
  const connections = Number(values.connections);
  const rounds = Number(values.rounds);
  const names = Object.keys(SERVERS);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    // Another order each round, so that no server is always the first or the last.
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length];
      const result = await measure(name, connections, values['young-mib']);
      results[name].push(result);
      console.error(
        `round ${round + 1}, ${name}: ${kib(result.idle.rss)} KiB RSS a connection, ` +
          `${kib(result.spoken.rss)} once each has asked`,
      );
    }
  }
  report(results, `${connections} connections, ${rounds} rounds`);
}

async function measure(name, count, youngMib) {
  const child = fork(SELF, [name], {
    execArgv: ['--expose-gc', `--max-semi-space-size=${youngMib}`],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const clients = [];
  try {
    const [{ port }] = await once(child, 'message');
    await warmUp(port);
    const before = await ask(child);
    while (clients.length < count) {
      const batch = Math.min(AT_ONCE, count - clients.length);
      const first = clients.length;
      clients.push(...(await Promise.all(range(batch).map((i) => open(port, first + i)))));
    }
    await sleep(1_000);
    const idle = await ask(child);
    for (let first = 0; first < count; first += AT_ONCE) {
      await Promise.all(clients.slice(first, first + AT_ONCE).map(askTime));
    }
    await sleep(1_000);
    const spoken = await ask(child);
    return { idle: growth(before, idle, count), spoken: growth(before, spoken, count) };
  } finally {
    child.kill('SIGKILL');
    for (const client of clients) client.destroy();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
}

async function warmUp(port) {
  const clients = await Promise.all(range(WARM_UP).map((i) => open(port, i)));
  await Promise.all(clients.map(askTime));
  await Promise.all(
    clients.map((client) => {
      client.end('QUIT\r\n');
      return once(client, 'close');
    }),
  );
  await sleep(1_500);
}

async function ask(child) {
  child.send('memory');
  const [answer] = await once(child, 'message');
  return answer;
}

/** Each of the source addresses brings ports of its own; only Linux has all of 127.0.0.0/8. */
async function open(port, index) {
  const localAddress = process.platform === 'linux' ? `127.0.0.${2 + (index % 20)}` : undefined;
  const socket = connect({ host: HOST, port, localAddress });
  await once(socket, 'connect');
  socket.resume();
  socket.on('error', () => undefined);
  return socket;
}

async function askTime(client) {
  client.write('TIME\r\n');
  await once(client, 'data');
}

// --- the numbers ---

function growth(before, after, count) {
  return Object.fromEntries(KINDS.map((kind) => [kind, (after[kind] - before[kind]) / count]));
}

function report(results, size) {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  console.log(
    `${size}; Node ${process.version}, package ${version}, ` +
      `${process.platform} ${process.arch}, ${cpus().length} CPUs`,
  );
  reportState('Idle from the start', 'idle', results);
  reportState('Idle after one TIME each', 'spoken', results);
  const cost = ratio(results, 'service', 'idle', 'rss');
  console.log(`\nThe service costs ${cost.toFixed(2)} times the baseline; the limit is ${LIMIT}.`);
  if (cost > LIMIT) process.exitCode = 1;
}

function reportState(title, state, results) {
  console.log(`\n${title}, KiB a connection (lowest–highest) and ratio of the medians:\n`);
  console.log('| server | RSS | ratio | of it heap | ratio |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const [name, rows] of Object.entries(results)) {
    const cells = KINDS.flatMap((kind) => {
      const own = rows.map((row) => row[state][kind]);
      const spread = `${kib(Math.min(...own))}–${kib(Math.max(...own))}`;
      return [`${kib(median(own))} (${spread})`, ratio(results, name, state, kind).toFixed(2)];
    });
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

function ratio(results, name, state, kind) {
  const [own, baseline] = [name, Object.keys(results)[0]].map((server) =>
    median(results[server].map((row) => row[state][kind])),
  );
  return own / baseline;
}

function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function kib(bytes) {
  return (bytes / 1024).toFixed(2);
}

function range(count) {
  return Array.from({ length: count }, (_, index) => index);
}
