/**
 * Two machines and a cable: network namespaces, in which real programs speak with the service as if they were far away. Their
 * addresses are known to nobody else. A namespace has no name, only a program that holds it: when that ends, nothing is left.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Cable, CableEnd, said } from './cable.js';
import { TestClient } from './line-client.js';
import { missing } from './programs.js';
import { MAIN, type Service, startService } from './service.js';
import { temporaryFolder } from './temporary-folder.js';

/** The machine of the service, and that of its clients. */
export const SERVER = '10.77.0.1';
export const CLIENT = '10.77.0.2';

/** How long a side may stay open when the other is closed, in seconds. */
const HALF_OPEN_S = '60';

/** Why no machines can be made here; `undefined` if they can. */
export function noNetwork(): string | undefined {
  if (missing('ip', 'nsenter', 'socat', 'unshare'))
    return 'ip, nsenter, socat or unshare is missing';
  try {
    const device = ['ip', 'tuntap', 'add', 'probe', 'mode', 'tun'];
    execFileSync('unshare', ['--net', ...device], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'network namespaces and tun devices are not permitted here';
  }
}

/** A computer of its own, as far as the network is concerned. */
class Machine {
  private constructor(
    private readonly holder: ChildProcess,
    readonly end: CableEnd,
    private readonly device: string,
  ) {}

  static async make(address: string): Promise<Machine> {
    const holder = spawn('unshare', ['--net', 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] });
    onTestFinished(() => {
      holder.kill();
    });
    holder.stdin.write('there');
    await once(holder.stdout, 'data'); // the namespace is made before cat begins
    const device = `cable${holder.pid}`;
    const end = await CableEnd.make(device);
    execFileSync('ip', ['link', 'set', device, 'netns', String(holder.pid)]);
    const machine = new Machine(holder, end, device);
    for (const each of ['lo', device]) machine.#run('ip', 'link', 'set', each, 'up');
    machine.addAddress(address);
    return machine;
  }

  /** How a program is started on it. */
  command(program: string, ...args: string[]): [string, ...string[]] {
    return ['nsenter', '--net', '--target', String(this.holder.pid), program, ...args];
  }

  /** @param address with the length of its prefix */
  addAddress(address: string): void {
    const atOnce = address.includes(':') ? ['nodad'] : [];
    this.#run('ip', 'address', 'add', address, 'dev', this.device, ...atOnce);
  }

  /** The largest packet that it sends, in bytes. */
  setMtu(bytes: number): void {
    this.#run('ip', 'link', 'set', this.device, 'mtu', String(bytes));
  }

  /** Sets one of the system's numbers for TCP, as `tcp_retries2`. */
  setTcp(name: string, value: string): void {
    this.#run('sh', '-c', `echo "$1" > "/proc/sys/net/ipv4/$0"`, name, value);
  }

  #run(program: string, ...args: string[]): void {
    const [first, ...rest] = this.command(program, ...args);
    execFileSync(first, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/** A client on one of the machines. */
export interface DistantClient {
  readonly client: TestClient;
  /** The exit status of its program: 0, if both sides were closed and none was cut. */
  readonly status: Promise<unknown>;
}

/** From where to where a client connects. */
interface Route {
  readonly on?: Machine;
  readonly from?: string;
  readonly to?: string;
}

export class Network {
  readonly cable: Cable;

  private constructor(
    readonly server: Machine,
    readonly clients: Machine,
  ) {
    this.cable = new Cable(server.end, clients.end);
  }

  static async make(): Promise<Network> {
    return new Network(await Machine.make(`${SERVER}/24`), await Machine.make(`${CLIENT}/24`));
  }

  /** Starts the built service, or another program that says where it listens, on its machine. */
  startService(env: Record<string, string> = {}, args: string[] = [MAIN]): Service {
    return startService({ HOST: SERVER, ...env }, this.server.command(process.execPath, ...args));
  }

  /** Connects by socat, which hands on what it is told by this process, and back. */
  async connect(
    service: Service,
    { on = this.clients, from = CLIENT, to = SERVER }: Route = {},
  ): Promise<DistantClient> {
    const path = join(temporaryFolder(), 'client');
    const port = await service.port();
    const place = to.includes(':')
      ? `TCP6:[${to}]:${port},bind=[${from}]`
      : `TCP4:${to}:${port},bind=${from}`;
    const verbose = ['-d', '-d']; // it says when it has connected
    const ends = [`UNIX-LISTEN:${path}`, place];
    const [program, ...args] = on.command('socat', ...verbose, '-t', HALF_OPEN_S, ...ends);
    const socat = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const status = once(socat, 'exit').then(([code]: unknown[]) => code);
    onTestFinished(() => {
      socat.kill('SIGKILL');
    });
    await said(socat, /listening on/);
    const [client] = await Promise.all([
      TestClient.connect({ path }),
      said(socat, /starting data transfer/),
    ]);
    return { client, status };
  }
}
