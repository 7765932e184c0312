/**
 * ServerProcess: one server in a process of its own, from its start to its end. Knows nothing of loads.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectNet, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Contender } from './contenders.js';
import { cpuSeconds } from './cpu-time.js';
import { CORES, pinned } from './programs.js';

export const HOST = '127.0.0.1';
const START_MS = 20_000;
const RETRY_MS = 2;
const FIRST_PORT = 10_000;
const LAST_PORT = 32_000;

/** Those that run; however the bench ends, they do not outlive it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface StartOptions {
  readonly cores?: string;
  /** Node's own options; then the process can also be sent messages. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export class ServerProcess {
  private constructor(
    readonly port: number,
    readonly contender: Contender,
    readonly child: ChildProcess,
    /** Whatever it prints goes into a file here, as the log of a real server would. */
    private readonly folder: string,
    /** Milliseconds from the start of the process to its first reply. */
    readonly startMs: number,
  ) {}

  /** Resolves once it has answered for the first time. */
  static async start(contender: Contender, options: StartOptions = {}): Promise<ServerProcess> {
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'bench-'));
    const log = openSync(join(folder, 'log'), 'w');
    const begun = performance.now();
    const child = run(contender, port, options, folder, log);
    closeSync(log);
    try {
      await firstReply(contender, port, child);
    } catch (error) {
      child.kill('SIGKILL');
      const printed = printedInto(folder).slice(-2_000);
      rmSync(folder, { recursive: true });
      throw new Error(`It does not answer: ${String(error)}\n${printed}`, { cause: error });
    }
    return new ServerProcess(port, contender, child, folder, performance.now() - begun);
  }

  /** Seconds of processor time that it has had. */
  cpuSeconds(): number {
    return cpuSeconds(this.child.pid ?? 0);
  }

  /** MiB of memory that the process itself has, without its children. */
  rssMiB(): number {
    const status = readFileSync(`/proc/${this.child.pid ?? 0}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
  }

  /** What it has printed so far. */
  printed(): string {
    return printedInto(this.folder);
  }

  async stop(): Promise<void> {
    if (!hasEnded(this.child)) {
      const ended = once(this.child, 'exit');
      this.child.kill('SIGKILL'); // the workers of a cluster end with their primary
      await ended;
    }
    rmSync(this.folder, { recursive: true });
  }
}

function printedInto(folder: string): string {
  return readFileSync(join(folder, 'log'), 'utf8');
}

function run(
  contender: Contender,
  port: number,
  { cores = CORES.server, nodeArgs, env }: StartOptions,
  cwd: string,
  log: number,
): ChildProcess {
  const [program = '', ...args] = contender.command(String(port));
  const command = pinned([program, ...(nodeArgs ?? []), ...args], cores);
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', PORT: String(port), ...contender.env, ...env },
    stdio: nodeArgs === undefined ? ['ignore', log, log] : ['ignore', log, log, 'ipc'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function firstReply(contender: Contender, port: number, child: ChildProcess): Promise<void> {
  let failure: unknown;
  for (const end = performance.now() + START_MS; performance.now() < end; await sleep(RETRY_MS)) {
    if (hasEnded(child)) throw new Error('the process has ended');
    try {
      const reply = await askOnce(contender, port);
      if (contender.reply.test(reply)) return;
      throw new RangeError(`the reply is ${JSON.stringify(reply)}`);
    } catch (error) {
      if (error instanceof RangeError) throw error;
      failure = error;
    }
  }
  throw failure;
}

async function askOnce(contender: Contender, port: number): Promise<string> {
  const socket: Socket = contender.isTls
    ? connectTls({ host: HOST, port, rejectUnauthorized: false })
    : connectNet({ host: HOST, port });
  try {
    await once(socket, contender.isTls ? 'secureConnect' : 'connect');
    socket.write(contender.request);
    let reply = '';
    while (!reply.endsWith(contender.replyEnd)) {
      const [chunk]: unknown[] = await once(socket, 'data');
      reply += String(chunk);
    }
    return reply;
  } finally {
    socket.destroy();
  }
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/**
 * Below those that the system gives to clients: who tries to connect to one of these before anyone listens may be given that very port,
 * and is connected to itself.
 */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    const server = createServer();
    server.listen(port, HOST);
    try {
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
      return port;
    } catch {
      // Someone listens there.
    }
  }
}
