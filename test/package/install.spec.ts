/**
 * The package as its users have it: packed, then installed in an empty Nest application outside this tree.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { manifest, pack, ROOT } from '../support/packed.js';
import { REQUIRED } from '../support/programs.js';
import { startService } from '../support/service.js';
import { folderToRemove } from '../support/temporary-folder.js';

const { name, exports, overrides, peerDependencies } = manifest();
const TSC = join(ROOT, 'node_modules/typescript/bin/tsc');

/** Compiling takes some seconds, and other tests run beside it. */
const TO_COMPILE = { timeout: 60_000 };

const run = promisify(execFile);
let application: string;
let isOffline = false;

beforeAll(() => {
  const { folder, remove } = folderToRemove();
  application = folder;
  return remove;
});

beforeAll(() => installIn(application), 120_000);

beforeEach(({ skip }) => {
  skip(isOffline, 'npm has neither a registry here nor all it needs in its cache');
});

/** Makes the application. Its versions are those this tree is tested with: what others release changes nothing here. */
async function installIn(folder: string): Promise<void> {
  const dependencies: Record<string, string> = { [name]: `file:${await pack(folder)}` };
  for (const other of ['@types/node', ...Object.keys(peerDependencies)]) {
    dependencies[other] = manifest(join(ROOT, 'node_modules', other)).version;
  }
  const own = { private: true, type: 'module', dependencies, overrides };
  writeFileSync(join(folder, 'package.json'), JSON.stringify(own));
  try {
    await npm(folder, 'install', '--prefer-offline', '--no-audit', '--no-fund');
  } catch (error) {
    isOffline = await npm(folder, 'view', 'rxjs', 'version', '--prefer-online').then(
      () => false,
      () => true,
    );
    if (REQUIRED || !isOffline) throw error;
  }
}

/** Runs npm, which by itself would wait long for a network that is not there. */
function npm(folder: string, ...args: string[]): Promise<unknown> {
  const patience = ['--fetch-retries=1', '--fetch-retry-mintimeout=500'];
  return run('npm', [...args, ...patience], { cwd: folder });
}

/** Writes the echo server of the transport's README, on a free port that it tells, and strict settings to compile it with. */
function writeEchoServer(): void {
  const readme = join(application, 'node_modules', name, 'src/line-transport/README.md');
  const [, source = ''] =
    /## An echo server\n\n```ts\n(.*?)```/s.exec(readFileSync(readme, 'utf8')) ?? [];
  const adapted = source
    .replace('./line-transport/index.js', `${name}/line-transport`)
    .replace('port: 7000', 'port: 0')
    .replace('await app.listen();', 'console.log(`port ${(await app.listen()).port}...`);');
  writeFileSync(join(application, 'echo.ts'), adapted);
  const compilerOptions = {
    target: 'ES2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
  };
  writeFileSync(join(application, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
}

/** What the application prints when it runs this. */
async function printed(source: string, type: 'module' | 'commonjs' = 'module'): Promise<string> {
  const options = [`--input-type=${type}`, '--eval', source];
  const { stdout } = await run(process.execPath, options, { cwd: application });
  return stdout.trim();
}

const ENTRIES = [
  { entry: '.', exported: 'TimeModule' },
  { entry: './line-transport', exported: 'LineServer' },
  { entry: './line-transport/testing', exported: 'LineConversation' },
];

describe('An application with the package', () => {
  it(
    'compiles the echo server of the README, with every declaration checked, and runs it',
    TO_COMPILE,
    async () => {
      writeEchoServer();
      await run(process.execPath, [TSC], { cwd: application });
      const server = startService({}, [process.execPath, join(application, 'echo.js')]);
      const client = await server.connect();
      client.send('hello\r\nworld\r\n');
      expect([await client.line(), await client.line()]).toEqual(['hello', 'world']);
    },
  );

  it('compiles where modules are resolved as a bundler does', TO_COMPILE, async () => {
    writeEchoServer();
    const options = ['--noEmit', '--module', 'esnext', '--moduleResolution', 'bundler'];
    await run(process.execPath, [TSC, ...options], { cwd: application });
  });

  it('has its own Nest and no other', () => {
    const brought = join(application, 'node_modules', name, 'node_modules');
    expect(existsSync(join(brought, '@nestjs/common'))).toBe(false);
    expect(existsSync(join(brought, 'rxjs'))).toBe(false);
  });

  it('starts the time service by its name', async () => {
    const program = join(application, 'node_modules/.bin/time-service');
    const client = await startService({}, [program]).connect();
    client.send('TIME\r\n');
    expect(await client.line()).toMatch(/^JAM \d\d:\d\d:\d\d$/);
  });

  it.each(ENTRIES)(
    'imports $exported from $entry, and requires it',
    async ({ entry, exported }) => {
      const specifier = entry.replace('.', name);
      const imported = await printed(
        `console.log(Object.keys(await import('${specifier}')).join())`,
      );
      expect(imported.split(',')).toContain(exported);
      expect(
        await printed(`console.log(Object.keys(require('${specifier}')).join())`, 'commonjs'),
      ).toBe(imported);
    },
  );

  it('reads its package.json', async () => {
    expect(await printed(`console.log(require('${name}/package.json').name)`, 'commonjs')).toBe(
      name,
    );
  });

  it('imports nothing else of it', async () => {
    const entries = [...ENTRIES.map(({ entry }) => entry), './package.json'];
    expect(Object.keys(exports)).toEqual(entries);
    expect(
      await printed(
        `await import('${name}/dist/line-transport/index.js').catch(({ code }) => console.log(code))`,
      ),
    ).toBe('ERR_PACKAGE_PATH_NOT_EXPORTED');
  });
});
