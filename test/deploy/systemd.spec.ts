/** The units of deploy/systemd, as systemd's own tools see them, and as the real systemd runs them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../support/packed.js';
import { missing } from '../support/programs.js';
import { noSystemd, SystemdMachine } from '../support/systemd-machine.js';

const UNITS = ['service', 'socket'].map((kind) =>
  join(ROOT, `deploy/systemd/time-service.${kind}`),
);

describe.skipIf(missing('systemd-analyze'))('The units', () => {
  it('are without fault to systemd-analyze', () => {
    const { stdout, stderr, status } = spawnSync(
      'systemd-analyze',
      ['verify', '--man=no', ...UNITS],
      { encoding: 'utf8' },
    );
    expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
  });

  it('expose as little as a service on the network can: 2.0 of 10 at the most', () => {
    const security = ['security', '--offline=true', '--threshold=20', '--no-pager'];
    const [service = ''] = UNITS;
    const said = execFileSync('systemd-analyze', [...security, service], { encoding: 'utf8' });
    expect(said).toMatch(/Overall exposure level for time-service\.service: [01]\.\d OK/);
  });
});

const absent = noSystemd();

describe.skipIf(absent !== undefined)('Under the real systemd the service', () => {
  let machine: SystemdMachine;

  beforeAll(async () => {
    machine = await SystemdMachine.boot();
  });

  afterAll(() => machine.end());

  beforeEach(async () => {
    await machine.systemctl('stop', 'time-service.socket', 'time-service.service');
    await machine.systemctl('reset-failed');
    await machine.configure();
  });

  it('has started when it serves, and not before', async () => {
    await machine.systemctl('start', 'time-service');
    expect(await machine.ask()).toMatch(/^JAM \d\d:\d\d:\d\d$/);
    expect(await machine.property('ActiveState')).toBe('active');
    expect(await machine.log()).not.toContain('systemd');
  });

  it('goes on when the kernel ends a worker for want of memory', async () => {
    await machine.systemctl('start', 'time-service');
    expect(await machine.property('OOMPolicy')).toBe('continue'); // the memory of a unit is not limited everywhere
  });

  it('is nobody, may do nothing and sees no process but its own', async () => {
    await machine.systemctl('start', 'time-service');
    const pid = await machine.property('MainPID');
    const status = await machine.run('cat', `/proc/${pid}/status`);
    expect(status).not.toMatch(/^Uid:\t0\t/m);
    expect(status).toMatch(/^CapBnd:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(status).toMatch(/^Seccomp:\t2$/m);
    expect(await machine.log()).not.toContain('root');
  });

  it('stops in order', async () => {
    await machine.systemctl('start', 'time-service');
    await machine.systemctl('stop', 'time-service');
    expect(await machine.property('Result')).toBe('success');
    expect(await machine.property('ExecMainStatus')).toBe('0');
    expect(await machine.log()).toMatch(/ - Server berhenti\.$/);
  });

  it.each(['1', '2'])('reloads and serves on with WORKERS=%s', async (WORKERS) => {
    await machine.configure({ WORKERS, MANAGEMENT_PORT: '9100' });
    await machine.systemctl('start', 'time-service');
    const pid = await machine.property('MainPID');
    await machine.systemctl('reload', 'time-service');
    await machine.until('SubState', 'running');
    expect(await machine.property('MainPID')).toBe(pid);
    expect(await machine.ask()).toMatch(/^JAM /);
    const check = ['node', '/opt/time-service/dist/healthcheck.js'];
    expect(await machine.run('env', 'MANAGEMENT_PORT=9100', ...check)).toBe('');
    await machine.systemctl('stop', 'time-service');
    expect(await machine.property('Result')).toBe('success');
  });

  it('has failed to start when a setting is wrong, and says which', async () => {
    await machine.configure({ PORT: 'http' }, ['Restart=no']);
    await expect(machine.systemctl('start', 'time-service')).rejects.toThrow('failed');
    expect(await machine.property('Result')).toBe('exit-code');
    expect(await machine.log()).toContain('PORT must be a whole number');
  });

  it('is given up when a setting stays wrong', async () => {
    await machine.configure({ PORT: 'http' }, ['RestartSec=10ms']);
    await expect(machine.systemctl('start', 'time-service')).rejects.toThrow('failed');
    await machine.until('ActiveState', 'failed');
    expect((await machine.log()).match(/The settings are wrong/g)).toHaveLength(5);
  }, 60_000);

  it('is started again when it has crashed', async () => {
    await machine.systemctl('start', 'time-service');
    await machine.run('kill', '-KILL', await machine.property('MainPID'));
    await machine.until('NRestarts', '1');
    await machine.until('ActiveState', 'active');
    expect(await machine.ask()).toMatch(/^JAM /);
  });

  it('lives on beyond WatchdogSec as long as its event loop turns, and is started again when it hangs', async () => {
    await machine.configure({}, ['WatchdogSec=2']);
    await machine.systemctl('start', 'time-service');
    const pid = await machine.property('MainPID');
    const started = Number(await machine.property('WatchdogTimestampMonotonic'));
    while (Number(await machine.property('WatchdogTimestampMonotonic')) < started + 4_000_000);
    expect(await machine.property('MainPID')).toBe(pid);
    await machine.run('kill', '-STOP', pid);
    await machine.until('NRestarts', '1');
    await machine.until('ActiveState', 'active');
    expect(await machine.ask()).toMatch(/^JAM /);
    expect(await machine.property('MainPID')).not.toBe(pid);
  }, 60_000);

  it('is started by its first client where systemd listens for it', async () => {
    await machine.systemctl('start', 'time-service.socket');
    expect(await machine.property('ActiveState')).toBe('inactive');
    expect(await machine.ask()).toMatch(/^JAM /);
    expect(await machine.property('ActiveState')).toBe('active');
    expect(await machine.log()).toMatch(/Memakai soket dari systemd[^]*port 45000\.\.\./);
  });

  it('refuses no client while it is restarted where systemd listens for it', async () => {
    await machine.systemctl('start', 'time-service.socket', 'time-service.service');
    let restarted = false;
    const restart = machine.systemctl('restart', 'time-service').then(() => (restarted = true));
    const replies: string[] = [];
    while (!restarted || replies.length < 3) replies.push(await machine.ask());
    await restart;
    expect(replies.filter((reply) => !reply.startsWith('JAM '))).toEqual([]);
  });
});
