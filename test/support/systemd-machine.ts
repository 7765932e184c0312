/**
 * A machine whose first process is the real systemd, for tests of the units. It is made of namespaces: it has processes, a network,
 * control groups and a /run of its own, and can change nothing of the machine it is on. The service is in its /opt/time-service.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { ROOT } from './packed.js';
import { missing } from './programs.js';

const run = promisify(execFile);

const SYSTEMD = '/lib/systemd/systemd';
const UNIT = 'time-service.service';

/** They end with their first process, and that ends with `unshare`. */
const NAMESPACES = [
  'mount',
  'pid',
  'fork',
  'kill-child',
  'mount-proc',
  'cgroup',
  'net',
  'uts',
  'ipc',
];

/** What the units lean on. */
const TARGETS = ['sysinit', 'basic', 'shutdown', 'sockets', 'network', 'multi-user'];

/** Makes the machine, and says so. $1 is the repository, $2 is node. */
const BOOT = `
set -e
mount -t tmpfs tmpfs /opt
mkdir /opt/time-service /opt/bin
mount --bind "$1" /opt/time-service
touch /opt/bin/node
mount --bind "$2" /opt/bin/node
mount --rbind /opt/bin /usr/local/bin
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
for folder in /run /tmp /var/tmp; do mount -t tmpfs tmpfs $folder; done
mkdir -p /run/units/${UNIT}.d
cp /opt/time-service/deploy/systemd/time-service.* /run/units
for target in ${TARGETS.join(' ')}; do
  printf '[Unit]\\nDefaultDependencies=no\\n' >/run/units/$target.target
done
ip link set lo up
mount --bind /proc/sys /proc/sys
for place in /proc/sys /; do mount -o remount,bind,ro $place; done
echo made
exec env -i container=test PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  SYSTEMD_UNIT_PATH=/run/units SYSTEMD_GENERATOR_PATH=/run/none \
  ${SYSTEMD} --unit=basic.target --log-target=null
`;

/** There is no journal to write to. */
const LOG_FILE = ['StandardOutput=append:/run/log', 'StandardError=inherit'];

/** Why no such machine can be made here; `undefined` if it can. */
export function noSystemd(): string | undefined {
  if (missing('ip', 'nsenter', 'unshare', 'systemctl')) return 'a program is missing';
  try {
    rmdirSync(makeControlGroup('probe'));
    execFileSync('unshare', [...NAMESPACES.map((name) => `--${name}`), 'true'], {
      stdio: 'ignore',
    });
    return undefined;
  } catch {
    return 'namespaces and control groups are not permitted here';
  }
}

/** A control group of our own, below the one that this process is in. */
function makeControlGroup(name: string): string {
  const [, mount = ''] =
    /^\S+ (\S+) cgroup2 /m.exec(readFileSync('/proc/self/mounts', 'utf8')) ?? [];
  const [, path = ''] = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? [];
  const group = join(mount, path, `time-service-${process.pid}-${name}`);
  if (mount === '') throw new Error('there are no control groups');
  mkdirSync(group);
  return group;
}

/** Removes a control group, those below it first. */
function removeControlGroup(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeControlGroup(join(group, entry.name));
  }
  rmdirSync(group);
}

export class SystemdMachine {
  private constructor(
    private readonly pid: number,
    private readonly group: string,
    private readonly gone: Promise<unknown>,
  ) {}

  static async boot(): Promise<SystemdMachine> {
    const group = makeControlGroup('machine');
    const enter = `echo $$ >${group}/cgroup.procs && exec "$@"`;
    const unshare = ['unshare', ...NAMESPACES.map((name) => `--${name}`)];
    const boot = ['sh', '-c', BOOT, 'boot', ROOT, process.execPath];
    const holder = spawn('sh', ['-c', enter, 'enter', ...unshare, ...boot]);
    let fault = '';
    holder.stderr.setEncoding('utf8').on('data', (text: string) => (fault += text));
    const gone = once(holder, 'close');
    await Promise.race([once(holder.stdout, 'data'), gone]);
    if (holder.exitCode !== null) throw new Error(`no machine could be made: ${fault}`);
    const first = readFileSync(`/proc/${holder.pid}/task/${holder.pid}/children`, 'utf8');
    const machine = new SystemdMachine(Number(first), group, gone);
    await machine.#untilAwake();
    return machine;
  }

  /** Ends it with whatever runs on it. */
  async end(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await this.gone;
    removeControlGroup(this.group);
  }

  /** Runs a program there, and tells what it says. */
  async run(program: string, ...args: string[]): Promise<string> {
    const enter = ['--target', String(this.pid), '-m', '-p', '-C', '-n', '-u', '-i'];
    const { stdout } = await run('nsenter', [...enter, program, ...args]);
    return stdout.trim();
  }

  systemctl(verb: string, ...args: string[]): Promise<string> {
    return this.run('systemctl', verb, ...args);
  }

  /** One of the properties that systemd has of the service, `MainPID` say. */
  property(name: string): Promise<string> {
    return this.systemctl('show', '--value', `--property=${name}`, UNIT);
  }

  /** Waits until a property is as it is to be. */
  async until(name: string, value: string): Promise<void> {
    while ((await this.property(name)) !== value) await setTimeout(20);
  }

  /** Gives the service settings, and more lines to its unit. Those of before are gone. */
  async configure(settings: Record<string, string> = {}, unit: string[] = []): Promise<void> {
    const environment = Object.entries(settings).map((pair) => `Environment=${pair.join('=')}`);
    const lines = ['[Service]', ...LOG_FILE, ...environment, ...unit, ''].join('\n');
    const file = `/run/units/${UNIT}.d/test.conf`;
    await this.run('sh', '-c', 'printf %s "$1" >"$2" && : >/run/log', 'sh', lines, file);
    await this.systemctl('daemon-reload');
  }

  /** What a client there is told by the service. */
  ask(): Promise<string> {
    return this.run('node', '/opt/time-service/dist/ask.js', '127.0.0.1');
  }

  /** What the service has said since it was configured. */
  log(): Promise<string> {
    return this.run('cat', '/run/log');
  }

  async #untilAwake(): Promise<void> {
    try {
      await this.systemctl('is-system-running');
    } catch {
      await this.#untilAwake();
    }
  }
}
