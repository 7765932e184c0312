/**
 * The service as it is soaked: the built one, in a process of its own, on this machine's own address.
 */
import { once } from 'node:events';
import * as v from 'valibot';
import { type Contender, contender } from '../bench/contenders.js';
import { compiled, CORES } from '../bench/programs.js';
import { ServerProcess } from '../bench/server-process.js';
import { forgetPeak, peakMib, Starvation, type Vitals, vitals } from './vitals.js';

/** What servers/memory-probe.ts tells, in bytes. */
const Memory = v.object({ rss: v.number(), heap: v.number() });
const MIB = 1_048_576;

export type Settings = Readonly<Record<string, string>>;

export interface ServiceOptions {
  readonly settings?: Settings;
  /** Descriptors that it may have, where not as many as the soak itself. Then it cannot be asked for its memory. */
  readonly maxDescriptors?: number;
}

/** Its own defaults, unless an attack says otherwise; the witness compares times of day in UTC. */
const SETTINGS: Settings = { MAX_CONNECTIONS: '', LOG_LEVEL: 'silent', TIME_ZONE: 'UTC' };

export class Service {
  private constructor(private readonly server: ServerProcess) {}

  static async start({ settings = {}, maxDescriptors }: ServiceOptions): Promise<Service> {
    const service = contender('service');
    const limited: Contender = {
      ...service,
      command: (port) => withLimit(service.command(port), maxDescriptors),
    };
    const server = await ServerProcess.start(limited, {
      cores: CORES.twoWorkers, // wherever there is room: nothing is compared, and one core it might have to share
      env: { ...SETTINGS, ...settings },
      ...(maxDescriptors === undefined && {
        nodeArgs: ['--expose-gc', '--import', compiled('servers/memory-probe.js')],
      }),
    });
    return new Service(server);
  }

  get port(): number {
    return this.server.port;
  }

  get pid(): number {
    return this.server.child.pid ?? 0;
  }

  get isAlive(): boolean {
    return this.server.child.exitCode === null && this.server.child.signalCode === null;
  }

  vitals(): Vitals {
    return vitals(this.pid, this.port);
  }

  /** From now on the peak of its memory is a new one. */
  forgetPeak(): void {
    forgetPeak(this.pid);
  }

  peakMib(): number {
    return peakMib(this.pid);
  }

  /** From now on. */
  starvation(): Starvation {
    return new Starvation(this.pid);
  }

  cpuSeconds(): number {
    return this.server.cpuSeconds();
  }

  /** What it has printed, its log first of all. */
  printed(): string {
    return this.server.printed();
  }

  /** Has everything collected that can be. */
  async collected(): Promise<{ readonly rssMib: number; readonly heapMib: number }> {
    this.server.child.send('memory');
    const [told]: unknown[] = await once(this.server.child, 'message');
    const { rss, heap } = v.parse(Memory, told);
    return { rssMib: rss / MIB, heapMib: heap / MIB };
  }

  /** Asks it to end as a supervisor would. @returns how it ended, and after how many seconds */
  async terminate(): Promise<{ readonly status: string; readonly seconds: number }> {
    const begun = performance.now();
    const { child } = this.server;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const [code, signal]: unknown[] = await ended;
    return { status: String(code ?? signal), seconds: (performance.now() - begun) / 1_000 };
  }

  /** Ends it, however it is. */
  stop(): Promise<void> {
    return this.server.stop();
  }
}

function withLimit(command: readonly string[], max: number | undefined): readonly string[] {
  return max === undefined
    ? command
    : ['sh', '-c', `ulimit -n ${max} && exec "$@"`, 'sh', ...command];
}
