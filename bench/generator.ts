/**
 * Generator: the programs that put load on a server: load.c, compiled once, and for TLS tls-load.ts. Knows nothing of statistics.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as v from 'valibot';
import { compiled, CORES, inRepository, pinned } from './programs.js';
import type { Sample } from './samples.js';
import type { LoadScenario } from './scenarios.js';
import { HOST, type ServerProcess } from './server-process.js';

/** How long a load is put on, in seconds. */
export interface Duration {
  readonly seconds: number;
  readonly warmUp: number;
}

/** What a generator says at the end. */
const Told = v.object({
  answered: v.number(),
  seconds: v.number(),
  p50: v.number(),
  p99: v.number(),
  p999: v.number(),
  busy: v.number(),
});

export class Generator {
  #program: string | undefined;

  /** @param folder where the compiled program is put */
  constructor(private readonly folder: string) {}

  /** What the server did while the load was on it. */
  async load(server: ServerProcess, scenario: LoadScenario, time: Duration): Promise<Sample> {
    const command = pinned(this.#command(server, scenario, time), CORES.generator);
    const child = spawn(command[0] ?? '', command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
    let [before, after] = [Number.NaN, Number.NaN];
    let [told, complaint]: [v.InferOutput<typeof Told> | undefined, string] = [undefined, ''];
    child.stderr.on('data', (text: Buffer) => {
      complaint += text.toString();
    });
    createInterface(child.stdout).on('line', (line) => {
      if (line.includes('started')) {
        before = server.cpuSeconds();
      } else {
        after = server.cpuSeconds();
        told = v.parse(Told, JSON.parse(line));
      }
    });
    await once(child, 'close');
    if (told === undefined) throw new Error(`The generator failed: ${complaint}`);
    const { answered, seconds, p50, p99, p999, busy } = told;
    const cpu = after - before;
    return {
      rate: answered / seconds,
      cpu: (cpu / answered) * 1e6,
      serverBusy: cpu / seconds,
      p50,
      p99,
      p999,
      busy,
    };
  }

  #command(
    { port, contender }: ServerProcess,
    { kind, connections, depth }: LoadScenario,
    { seconds, warmUp }: Duration,
  ): readonly string[] {
    const mode = kind === 'workers' ? 'pipeline' : kind;
    const size = [HOST, port, mode, connections, depth, seconds, warmUp].map(String);
    const words = [contender.request, contender.replyEnd, contender.goodbye];
    return contender.isTls
      ? [process.execPath, compiled('tls-load.js'), ...size, ...words]
      : [this.#compiled(), ...size, ...words];
  }

  #compiled(): string {
    if (this.#program !== undefined) return this.#program;
    const program = join(this.folder, 'load');
    execFileSync('cc', ['-O2', '-o', program, inRepository('bench/load.c')]);
    this.#program = program;
    return program;
  }
}
