/** The containers of deploy/compose: what compose takes, and what agrees with the service and with HAProxy. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readSettings, SETTING_NAMES } from '../../src/operations/config/settings.js';
import { HAPROXY_CONFIGURATION } from '../support/haproxy.js';
import { missing } from '../support/programs.js';

interface Container {
  readonly environment: Readonly<Record<string, string | number>>;
  readonly stop_grace_period: string;
  readonly ulimits: { readonly nofile: number };
  readonly mem_limit?: string;
}

const FILE = new URL('../../deploy/compose/compose.yaml', import.meta.url);
const TEXT = readFileSync(FILE, 'utf8');
const { services, networks } = parse(TEXT, { merge: true }) as {
  services: { 'time-1': Container; 'time-2': Container; haproxy: Container };
  networks: { services: { internal: boolean; ipam: { config: { subnet: string }[] } } };
};
const { haproxy, ...replicas } = services;
const SETTINGS = Object.fromEntries(
  Object.entries(replicas['time-1'].environment).map(([name, value]) => [name, String(value)]),
);
const settings = readSettings({ ...SETTINGS, TIME_ZONE: '' });

describe('The containers', () => {
  it.skipIf(missing('docker-compose'))('are described in a way that compose takes', () => {
    const input = TEXT.replace(/^name: .*$/m, ''); // which Debian's compose does not know yet
    const told = execFileSync('docker-compose', ['-f', '-', 'config'], {
      cwd: fileURLToPath(new URL('.', FILE)),
      input,
      encoding: 'utf8',
    });
    expect(Object.keys((parse(told) as { services: object }).services).toSorted()).toEqual(
      Object.keys(services).toSorted(),
    );
  });

  it('are two equal services and HAProxy', () => {
    expect(Object.keys(replicas)).toEqual(['time-1', 'time-2']);
    expect(replicas['time-1']).toEqual(replicas['time-2']);
  });

  it.each(Object.entries(services))('write nothing and may do nothing (%s)', (_, container) => {
    expect(container).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
  });

  it('set what the service reads, and nothing else', () => {
    expect(Object.keys(SETTINGS).filter((name) => !SETTING_NAMES.includes(name))).toEqual([]);
  });

  it('have time for the drain before they are killed', () => {
    const seconds = Number(/^(\d+)s$/.exec(replicas['time-1'].stop_grace_period)?.[1]);
    const drainMs = settings.SHUTDOWN_DELAY_MS + settings.SHUTDOWN_GRACE_MS;
    expect(seconds).toBeGreaterThanOrEqual(drainMs / 1_000 + 5);
  });

  it('have descriptors for every client, and memory for more than what waits for them', () => {
    const { ulimits, mem_limit: limit } = replicas['time-1'];
    expect(ulimits.nofile).toBeGreaterThan(settings.MAX_CONNECTIONS);
    expect(settings.MAX_BUFFERED_BYTES).toBeLessThanOrEqual((parseInt(limit ?? '') * 2 ** 20) / 4);
    expect(haproxy.ulimits.nofile).toBeGreaterThan(2 * 2 * settings.MAX_CONNECTIONS);
  });

  it('tell HAProxy where they are, in the words of its configuration', () => {
    const { environment } = haproxy;
    const places = new Set(
      Array.from(
        readFileSync(HAPROXY_CONFIGURATION, 'utf8').matchAll(/\$\{(\w+)-/g),
        ([, name]) => name,
      ),
    );
    expect(Object.keys(environment).filter((name) => !places.has(name))).toEqual([]);
    for (const [index, name] of Object.keys(replicas).entries()) {
      expect(environment[`SERVICE_${index + 1}`]).toBe(`${name}:${settings.PORT}`);
      expect(environment[`CHECK_PORT_${index + 1}`]).toBe(settings.MANAGEMENT_PORT);
    }
  });

  it('trust the header of HAProxy, and are reached by nobody else', () => {
    const [{ subnet } = { subnet: '' }] = networks.services.ipam.config;
    expect(settings.PROXY_PROTOCOL_TRUST).toEqual([subnet]);
    expect(networks.services.internal).toBe(true);
    for (const replica of Object.values(replicas)) {
      expect(replica).toMatchObject({ networks: ['services'] });
      expect(replica).not.toHaveProperty('ports');
    }
  });
});
