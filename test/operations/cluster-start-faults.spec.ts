/** A service of several workers that cannot start says why, once, and does not try for ever. */
import { describe, expect, it, vi } from 'vitest';
import { type Service, startService } from '../support/service.js';
import { livingWorkers } from '../support/workers.js';

vi.setConfig({ testTimeout: 90_000 });

/** Runs a statement in each worker, and not in the primary, before anything else. */
function inWorkers(statement: string): string {
  const code = `if (process.channel) { ${statement} }`;
  return `--import=data:text/javascript,${encodeURIComponent(code)}`;
}

async function faultOf(service: Service): Promise<string> {
  expect(await service.exit).toEqual({ code: 1, signal: null });
  expect(service.stderr).not.toContain('    at ');
  expect(service.stdout).not.toContain('mendengarkan');
  return service.stderr;
}

describe('A service of several workers', () => {
  it('names wrong settings once, before there is any worker', async () => {
    const service = startService({ WORKERS: '2', LOCALE: 'fr' });
    expect(await faultOf(service)).toBe(
      'The settings are wrong:\n  LOCALE must be id or en, not "fr"\n',
    );
    expect(service.stdout).toBe('');
  });

  it('says once that its port is in use', async () => {
    const first = startService();
    const port = String(await first.port());
    expect(await faultOf(startService({ WORKERS: '2', PORT: port }))).toBe(
      `Cannot listen on port ${port} of 127.0.0.1: another process listens there already; ` +
        'stop it or choose another port (EADDRINUSE).\n',
    );
  });

  it('gives up when workers end one after the other before any has served', async () => {
    const env = { WORKERS: '3', NODE_OPTIONS: inWorkers("process.kill(process.pid, 'SIGKILL')") };
    const service = startService(env);
    expect(await faultOf(service)).toBe('5 workers in a row ended before one served.\n');
    expect(service.stdout.match(/berhenti tanpa diminta \(SIGKILL\)/g)).toHaveLength(5);
  });

  it('gives up at the first worker that says why it cannot serve', async () => {
    const statement = "console.error('The reason.'); process.exit(1)";
    const service = startService({ WORKERS: '3', NODE_OPTIONS: inWorkers(statement) });
    expect(await faultOf(service)).toBe(
      'The reason.\nThe first worker could not serve; it has told why.\n',
    );
    expect(service.stdout.match(/berhenti tanpa diminta \(1\)/g)).toHaveLength(1);
  });

  it('ends in order when it is told to before any worker is ready', async () => {
    const service = startService({ WORKERS: '2' });
    while (livingWorkers(service).length === 0) await new Promise(setImmediate);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.stderr).toBe('');
  });
});
