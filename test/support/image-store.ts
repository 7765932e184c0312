/**
 * Images built by the real buildah, in a folder of the test's own. No registry is needed: what they are built on is made by
 * debootstrap of Debian's packages, with this machine's node and npm in it. For root.
 */
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './packed.js';
import { missing } from './programs.js';

const run = promisify(execFile);

const BASE = 'localhost/node-of-this-machine';
/** Certificates that this machine trusts, a registry's among them. */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';

/** What an image says of itself, as far as it matters here. */
export interface ImageDescription {
  readonly Docker: {
    readonly created: string;
    readonly config: {
      readonly User: string;
      readonly Env: readonly string[];
      readonly Entrypoint: readonly string[];
      readonly WorkingDir: string;
      readonly StopSignal: string;
      readonly ExposedPorts: object;
      readonly Healthcheck: { readonly Test: readonly string[] };
      readonly Labels: Readonly<Record<string, string>>;
    };
    readonly rootfs: { readonly diff_ids: readonly string[] };
  };
}

/** Why no image can be built here; `undefined` if one can. */
export function noImages(): string | undefined {
  if (missing('buildah', 'crun', 'debootstrap', 'git', 'npm', 'unshare'))
    return 'a program is missing';
  try {
    execFileSync('unshare', ['--mount', 'true'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'mounts are not permitted here';
  }
}

export class ImageStore {
  readonly #env: NodeJS.ProcessEnv;

  constructor(folder: string) {
    const settings = join(folder, 'storage.conf');
    const places = ['graphroot', 'runroot'].map((name) => `${name} = "${join(folder, name)}"`);
    writeFileSync(settings, ['[storage]', 'driver = "overlay"', ...places, ''].join('\n'));
    const ours = { CONTAINERS_STORAGE_CONF: settings, BUILDAH_ISOLATION: 'chroot' };
    this.#env = { ...process.env, ...ours, BUILDER: 'buildah', BASE, OPTIONS: '--no-cache' };
  }

  async buildah(...args: string[]): Promise<string> {
    const { stdout } = await run('buildah', args, { env: this.#env });
    return stdout.trim();
  }

  /** Makes what the image is built on. */
  async makeBase(): Promise<void> {
    const { stdout: suite } = await run('sh', [
      '-c',
      '. /etc/os-release && echo $VERSION_CODENAME',
    ]);
    const container = await this.buildah('from', 'scratch');
    const root = await this.buildah('mount', container);
    await run('debootstrap', ['--variant=minbase', '--include=libatomic1', suite.trim(), root]);
    cpSync(process.execPath, join(root, 'usr/bin/node'), { dereference: true });
    await run('cp', ['-r', npmFolder(), join(root, 'usr/lib/npm')]);
    await run('ln', ['-s', '../lib/npm/bin/npm-cli.js', join(root, 'usr/bin/npm')]);
    if (existsSync(CERTIFICATES)) {
      mkdirSync(dirname(join(root, CERTIFICATES)), { recursive: true });
      cpSync(CERTIFICATES, join(root, CERTIFICATES), { dereference: true });
      await this.buildah('config', `--env=NODE_EXTRA_CA_CERTS=${CERTIFICATES}`, container);
    }
    await this.buildah('commit', '--rm', container, BASE);
  }

  /** Builds the image as an operator does. */
  async build(name: string): Promise<ImageDescription> {
    await run(join(ROOT, 'deploy/docker/build-image.sh'), [name], { env: this.#env });
    return JSON.parse(await this.buildah('inspect', '--type=image', name)) as ImageDescription;
  }

  /** The files of an image, to look at. */
  async mount(name: string): Promise<string> {
    return this.buildah('mount', await this.buildah('from', '--pull-never', name));
  }

  /** Lets go of every mount; the folder can be removed then. */
  async close(): Promise<void> {
    await this.buildah('rm', '--all');
    await this.buildah('rmi', '--all', '--force');
  }
}

function npmFolder(): string {
  const npm = execFileSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).trim();
  return dirname(dirname(realpathSync(npm)));
}
