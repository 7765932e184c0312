/**
 * ClientProcess: clients of the service in a process of their own, which performs acts when it is told to. Knows nothing of what they do.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import type { Act } from './act.js';

const PROGRAM = fileURLToPath(new URL('client-program.js', import.meta.url));

/** What is asked of the process. */
export const Request = v.object({
  id: v.number(),
  act: v.string(),
  port: v.number(),
  task: v.unknown(),
});

/** What it says: once that it is there, then once for each request. */
const Reply = v.object({ id: v.number(), told: v.unknown(), fault: v.optional(v.string()) });

interface Waiting {
  readonly resolve: (told: unknown) => void;
  readonly reject: (fault: Error) => void;
}

/** Those that run; however the soak ends, they do not outlive it. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class ClientProcess {
  readonly #waiting = new Map<number, Waiting>();
  #asked = 0;

  private constructor(
    private readonly child: ChildProcess,
    private readonly port: number,
  ) {
    running.add(child);
    child.on('message', (message) => this.#settle(v.parse(Reply, message)));
    child.once('exit', (code, signal) => {
      running.delete(child);
      const fault = new Error(`The clients' process has ended: ${code ?? signal}`);
      for (const { reject } of this.#waiting.values()) reject(fault);
      this.#waiting.clear();
    });
  }

  /** @param port of the service */
  static async start(port: number): Promise<ClientProcess> {
    const child = fork(PROGRAM, { serialization: 'advanced' });
    await once(child, 'message');
    return new ClientProcess(child, port);
  }

  /**
   * @param withinMs how long it may take
   * @returns what the clients tell when they are done
   */
  async perform<Task, Told>(act: Act<Task, Told>, task: Task, withinMs: number): Promise<Told> {
    const id = ++this.#asked;
    const timer = setTimeout(() => {
      this.#settle({ id, told: undefined, fault: `${act.name} is not over after ${withinMs} ms` });
    }, withinMs);
    try {
      const told = await new Promise<unknown>((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        const request: v.InferOutput<typeof Request> = {
          id,
          act: act.name,
          port: this.port,
          task,
        };
        this.child.send(request);
      });
      return v.parse(act.Told, told);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Whatever its clients are about, the kernel closes their connections. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }

  #settle({ id, told, fault }: v.InferOutput<typeof Reply>): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (fault === undefined) waiting?.resolve(told);
    else waiting?.reject(new Error(fault));
  }
}
