/** HAProxy takes the configuration that is shipped, and its numbers agree with those of the service. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/operations/config/settings.js';
import { HAPROXY_CONFIGURATION } from '../support/haproxy.js';
import { missing } from '../support/programs.js';

const TEXT = readFileSync(HAPROXY_CONFIGURATION, 'utf8');
const DEFAULTS = readSettings({});

/** The number behind some words of the configuration. */
function numberBehind(words: string): number {
  return Number(new RegExp(`^ *(?:default-server .*)?${words} (\\d+)`, 'm').exec(TEXT)?.[1]);
}

describe.skipIf(missing('haproxy'))('The configuration of HAProxy', () => {
  it('is taken, without a warning', async () => {
    const check = ['-c', '-dW', '-f', HAPROXY_CONFIGURATION]; // -dW: a warning is an error
    await expect(promisify(execFile)('haproxy', check)).resolves.toMatchObject({ stderr: '' });
  });

  it('takes its places from the environment', async () => {
    const check = promisify(execFile)('haproxy', ['-c', '-f', HAPROXY_CONFIGURATION], {
      env: { ...process.env, SERVICE_2: '127.0.0.1:no-port' },
    });
    await expect(check).rejects.toMatchObject({ stderr: expect.stringContaining('no-port') });
  });
});

describe('Behind HAProxy', () => {
  it.each(['client', 'server'])(
    'a silent conversation is ended by the service first (%s)',
    (side) => {
      expect(numberBehind(`timeout ${side}`) * 60_000).toBeGreaterThan(DEFAULTS.IDLE_TIMEOUT_MS);
    },
  );

  it('no service is sent so many clients that it is not ready', () => {
    expect(numberBehind('maxconn')).toBeLessThan(DEFAULTS.MAX_CONNECTIONS * 0.9);
  });

  it('a service that leaves is noticed as soon as the comment says', () => {
    const [inter, fastinter] = [numberBehind('check inter'), numberBehind('.* fastinter')];
    expect(numberBehind('.* fall')).toBe(2);
    expect(TEXT).toContain(`after ${(inter + fastinter) / 1_000} s at most`);
  });

  it('services are told the addresses of clients', () => {
    expect(TEXT).toMatch(/^ {2}default-server .* send-proxy-v2 /m);
  });
});
