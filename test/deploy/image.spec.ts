/** The image of deploy/docker, built and run for real. It takes minutes: Debian and the packages of npm are fetched. */
import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Container } from '../support/container.js';
import { type ImageDescription, ImageStore, noImages } from '../support/image-store.js';
import { manifest } from '../support/packed.js';
import { folderToRemove, temporaryFolder } from '../support/temporary-folder.js';

const MINUTES = 60_000;
/** Without what it is built on. */
const MAX_BYTES = 40_000_000;

const absent = noImages();

describe.skipIf(absent !== undefined)('The image', () => {
  const { folder, remove } = folderToRemove();
  let store: ImageStore;
  let image: ImageDescription;
  let root: string;

  beforeAll(async () => {
    store = new ImageStore(folder);
    await store.makeBase();
    image = await store.build('time-service:first');
    root = await store.mount('time-service:first');
  }, 10 * MINUTES);

  afterAll(async () => {
    await store.close();
    remove();
  });

  const start = (env: Record<string, string> = {}): Container =>
    new Container(image, root, temporaryFolder(), env);
  const files = (): string[] =>
    readdirSync(join(root, 'app'), { recursive: true, encoding: 'utf8' });

  it('serves as nobody, where nothing can be written, and stops in order', async () => {
    const container = start();
    expect(await container.service.port()).toBe(45_000);
    expect(await container.exec('node', 'dist/ask.js', '127.0.0.1')).toMatch(
      /^JAM \d\d:\d\d:\d\d$/,
    );
    const status = await container.exec('cat', '/proc/1/status');
    expect(status).toMatch(/^Uid:\t65532\t/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    await expect(container.exec('touch', '/app/written')).rejects.toThrow('Read-only');
    expect(await container.stop()).toEqual({ code: 0, signal: null });
    expect(container.service.stderr).toBe('');
    expect(container.service.stdout).toMatch(/ - Server berhenti\.\n$/);
  });

  it('is healthy while it serves, and is not when it hangs', async () => {
    const [kind, ...command] = image.Docker.config.Healthcheck.Test;
    expect(kind).toBe('CMD');
    const container = start();
    await container.service.port();
    expect(await container.exec(...command)).toBe('');
    await container.kill('SIGSTOP');
    await expect(container.exec(...command)).rejects.toThrow('nothing came in 4000 ms');
    await container.kill('SIGCONT');
    await container.stop();
  });

  it('asks the management port for its health, where that is set', async () => {
    const [, ...command] = image.Docker.config.Healthcheck.Test;
    const container = start({ MANAGEMENT_PORT: '9100', PROXY_PROTOCOL_TRUST: '192.0.2.1' });
    await container.service.port();
    expect(await container.exec(...command)).toBe('');
    expect(container.service.stdout).not.toContain("('127.0.0.1', "); // no client of its own
    await container.stop();
  });

  it('has what runs, and nothing else', () => {
    const app = join(root, 'app');
    expect(readdirSync(app).toSorted()).toEqual([
      'LICENSE',
      'dist',
      'node_modules',
      'package.json',
    ]);
    const ours = files().filter((file) => file.startsWith('dist/') && file.includes('.'));
    expect(ours).toContain('dist/main.js');
    expect(ours.filter((file) => !file.endsWith('.js') || /\bspec\b|\btest\b/.test(file))).toEqual(
      [],
    );
    const { dependencies, devDependencies } = manifest();
    const installed = (name: string): boolean => existsSync(join(app, 'node_modules', name));
    expect(Object.keys(dependencies).filter((name) => !installed(name))).toEqual([]);
    expect(Object.keys(devDependencies).filter(installed)).toEqual([]);
  });

  it('adds little to what it is built on', () => {
    const sizes = files().map((file) => lstatSync(join(root, 'app', file)).size);
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(MAX_BYTES);
  });

  it('keeps nothing of how it was built', () => {
    for (const place of ['root', 'tmp', 'home']) {
      expect(readdirSync(join(root, place)).filter((name) => name.startsWith('.npm'))).toEqual([]);
    }
    expect(readdirSync(join(root, 'tmp'))).toEqual([]);
  });

  it('says what it is, and of which state of the source', () => {
    const { config } = image.Docker;
    expect(config.Labels).toMatchObject({
      'org.opencontainers.image.title': 'time-service',
      'org.opencontainers.image.licenses': 'MIT',
      'org.opencontainers.image.version': manifest().version,
      'org.opencontainers.image.revision': expect.stringMatching(/^[0-9a-f]{40}$/),
      'org.opencontainers.image.created': expect.stringMatching(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
      ),
    });
    expect(config.ExposedPorts).toEqual({ '45000/tcp': {} });
    expect(config.StopSignal).toBe('SIGTERM');
  });

  it('tells what it is made of: npm lists every package of it', async () => {
    const container = start({ HOME: '/dev' });
    await container.service.port();
    const sbom = ['npm', 'sbom', '--omit=dev', '--omit=optional', '--sbom-format=spdx'];
    const { packages } = JSON.parse(await container.exec(...sbom)) as {
      packages: { name: string }[];
    };
    const names = packages.map(({ name }) => name);
    expect(names).toContain('pino');
    expect(names).toContain('@nestjs/core');
    await container.stop();
  });

  it(
    'is the same whenever it is built of the same',
    async () => {
      const second = await store.build('time-service:second');
      expect(second.Docker.rootfs).toEqual(image.Docker.rootfs);
      expect(second.Docker.created).toBe(image.Docker.created);
    },
    10 * MINUTES,
  );
});
