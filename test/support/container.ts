/**
 * A container run by the real crun, locked up as far as it goes: nothing can be written, there is no capability, no network but its
 * own loopback, and the user is the image's.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ImageDescription } from './image-store.js';
import { type Service, startService } from './service.js';

const run = promisify(execFile);

/** crun knows no machine with both versions of control groups: in here there is one. */
const CRUN =
  'umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec crun "$@"';

const NAME = 'time-service';

export class Container {
  readonly service: Service;
  readonly #crun: string[];
  readonly #user: string;

  /**
   * @param root the files of the image
   * @param folder an empty one, for what crun keeps
   */
  constructor(
    private readonly image: ImageDescription,
    root: string,
    folder: string,
    env: Record<string, string> = {},
  ) {
    const bundle = join(folder, 'bundle');
    mkdirSync(bundle);
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(specOf(image, root, env)));
    const places = ['--root', join(folder, 'state'), '--cgroup-manager=disabled'];
    this.#crun = ['--mount', 'sh', '-c', CRUN, 'crun', ...places];
    this.#user = image.Docker.config.User;
    this.service = startService({}, ['unshare', ...this.#crun, 'run', '--bundle', bundle, NAME]);
  }

  /** Runs a program in it, and tells what it says. */
  async exec(...command: string[]): Promise<string> {
    const as = ['--cwd', this.image.Docker.config.WorkingDir, '--user', this.#user, NAME];
    const { stdout } = await run('unshare', [...this.#crun, 'exec', ...as, ...command]);
    return stdout.trim();
  }

  /** Sends a signal to its first process. */
  async kill(signal: string): Promise<void> {
    await run('unshare', [...this.#crun, 'kill', NAME, signal]);
  }

  /** Does what `docker stop` does first, and waits for the end. */
  async stop(): Promise<unknown> {
    await this.kill(this.image.Docker.config.StopSignal);
    return this.service.exit;
  }
}

/** What a runtime is told: https://github.com/opencontainers/runtime-spec/blob/main/config.md */
function specOf(
  { Docker: { config } }: ImageDescription,
  root: string,
  env: Record<string, string>,
): object {
  const [uid, gid] = config.User.split(':').map(Number);
  const given = Object.entries(env).map((pair) => pair.join('='));
  const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  return {
    ociVersion: '1.0.0',
    process: {
      user: { uid, gid },
      args: config.Entrypoint,
      env: [...config.Env, ...given],
      cwd: config.WorkingDir,
      capabilities: none,
      noNewPrivileges: true,
    },
    root: { path: root, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
    ],
    linux: {
      namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map((type) => ({ type })),
    },
  };
}
