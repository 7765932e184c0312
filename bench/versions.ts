/**
 * On what was measured: versions and the machine. It says nothing of where the machine is or what it is called.
 */
import { readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import * as v from 'valibot';
import { firstLine, inRepository, PINNING } from './programs.js';

/** On whatever is measured here. */
export function ownVersions(): string[] {
  const [cpu] = cpus();
  const [kernel] = /^[\d.]+/.exec(release()) ?? [''];
  return [
    `Node ${process.version}, Linux ${kernel}, ${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}`,
    `package ${versionOf('package.json')}, @nestjs/core ${ofModule('@nestjs/core')}, @nestjs/microservices ${ofModule('@nestjs/microservices')}`,
  ];
}

export function versions(): string[] {
  return [
    ...ownVersions(),
    [
      ofProgram('Redis', 'redis-server', '--version'),
      ofProgram('memcached', 'memcached', '-V'),
      ofProgram('Python', 'python3', '-V'),
      ofProgram('cc', 'cc', '-dumpfullversion'),
      ofProgram('OpenSSL', 'openssl', 'version'),
    ].join(', '),
    PINNING,
  ];
}

function ofModule(name: string): string {
  return versionOf(`node_modules/${name}/package.json`);
}

function versionOf(path: string): string {
  const read: unknown = JSON.parse(readFileSync(inRepository(path), 'utf8'));
  return v.parse(v.object({ version: v.string() }), read).version;
}

function ofProgram(name: string, program: string, option: string): string {
  const line = firstLine(program, [option]);
  if (line === undefined) return `${name}: not installed, skipped`;
  return `${name} ${/\d+(?:\.\d+)+/.exec(line)?.[0] ?? line}`;
}
