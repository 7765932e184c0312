/**
 * The load generator for TLS, with the arguments and the output of load.c in its mode `pipeline`. A Node program that encrypts needs
 * more processor time than the server it asks, so what counts is the server's CPU time per request.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type TLSSocket } from 'node:tls';

const [host = '', port, , connections, depth, seconds, warmUp, request = '', replyEnd = ''] =
  process.argv.slice(2);
const DEPTH = Number(depth);
const BATCH = request.repeat(DEPTH);
const END = replyEnd.charCodeAt(0);

let answered = 0;
let isMeasuring = false;
const latencies: number[] = [];

/** Asks for ever, a batch at a time. */
function askOn(socket: TLSSocket): void {
  let awaited = 0;
  let since = 0;
  const ask = (): void => {
    awaited = DEPTH;
    since = performance.now();
    socket.write(BATCH, 'latin1');
  };
  socket.on('data', (chunk: Buffer) => {
    let replies = 0;
    for (let at = chunk.indexOf(END); at !== -1; at = chunk.indexOf(END, at + 1)) replies++;
    awaited -= replies;
    if (isMeasuring) answered += replies;
    if (awaited > 0) return;
    if (isMeasuring) latencies.push((performance.now() - since) * 1_000);
    ask();
  });
  ask();
}

function open(): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      socket.setNoDelay(true);
      resolve(socket);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('a connection was closed by the server')));
  });
}

const sockets = await Promise.all(Array.from({ length: Number(connections) }, open));
for (const socket of sockets) askOn(socket);
await sleep(Number(warmUp) * 1_000);
isMeasuring = true;
console.log('{"started":true}');
const [begun, cpu] = [performance.now(), process.cpuUsage()];
await sleep(Number(seconds) * 1_000);
const took = (performance.now() - begun) / 1_000;
const { user, system } = process.cpuUsage(cpu);
latencies.sort((a, b) => a - b);
const percentile = (share: number): number => latencies[Math.floor(share * latencies.length)] ?? 0;
console.log(
  JSON.stringify({
    answered,
    seconds: took,
    p50: percentile(0.5),
    p99: percentile(0.99),
    p999: percentile(0.999),
    busy: (user + system) / 1e6 / took,
  }),
);
process.exit();
