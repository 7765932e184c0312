/** What `/metrics` says after known traffic, to whoever reads Prometheus' text format, and to a real Prometheus. */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../support/free-port.js';
import { series, startManaged } from '../support/management.js';
import { missing } from '../support/programs.js';
import type { Service } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const QUIET = { LOG_REQUESTS: 'false' };
const OPERATIONS = readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');

/** 100 × TIME, 20 words that are no command, 2 lines that are too long, arguments where there are none, and QUIT. */
async function talkTo(service: Service): Promise<void> {
  const client = await service.connect();
  const words = Array.from({ length: 20 }, (_, index) => `word-${index}\n`).join('');
  client.send(`${'TIME\n'.repeat(100)}${words}${`${'x'.repeat(2_000)}\n`.repeat(2)}QUIT\n`);
  await client.transcript();
  client.end();
  await service.logs(/telah berhenti/);
}

/** The names and labels of what is not the process's: the garbage collector's series come with what it does. */
function oursOf(told: Map<string, number>): string[] {
  return [...told.keys()].filter((name) => !/^(nodejs|process)_/.test(name));
}

describe('the metrics of a service', () => {
  it('count what happened', async () => {
    const { service, url } = await startManaged(QUIET);
    await talkTo(service);
    const told = await series(url);
    expect(Object.fromEntries(told)).toMatchObject({
      line_connections_open: 0,
      line_connections_accepted_total: 1,
      'line_connections_closed_total{reason="quit"}': 1,
      'line_connections_refused_total{reason="maxConnections"}': 0,
      line_connections_max: 10_000,
      line_lines_total: 123,
      'line_replies_total{command="TIME",outcome="replied"}': 100,
      'line_replies_total{command="QUIT",outcome="replied"}': 1,
      'line_replies_total{command="",outcome="unknownCommand"}': 20,
      'line_replies_total{command="",outcome="lineTooLong"}': 2,
      'line_replies_total{command="TIME",outcome="failed"}': 0,
      'line_handler_duration_seconds_count{command="TIME"}': 100,
      'line_handler_duration_seconds_bucket{le="+Inf",command="TIME"}': 100,
      'line_pauses_total{reason="unreadReplies"}': 0,
      line_buffered_bytes: 0,
      time_service_ready: 1,
    });
    expect(told.get('line_received_bytes_total')).toBeGreaterThan(4_500);
    expect(told.get('line_sent_bytes_total')).toBeGreaterThan(1_400);
    expect(told.get('line_handler_duration_seconds_sum{command="TIME"}')).toBeGreaterThan(0);
    expect(told.get('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(told.has('nodejs_eventloop_lag_p99_seconds')).toBe(true);
    const build = [...told].find(([name]) => name.startsWith('time_service_build_info'));
    expect(build).toEqual([
      expect.stringMatching(/\{version="\d+\.\d+\.\d+",node="v\d+\.[\d.]+"\}$/),
      1,
    ]);
  });

  it('have the same series whatever clients say', async () => {
    const { service, url } = await startManaged(QUIET);
    await talkTo(service);
    const before = await series(url);
    const client = await service.connect();
    const words = Array.from({ length: 1_000 }, (_, index) => `TIME-${index} {"x"} ${index}\n`);
    client.end(words.join(''));
    await client.transcript();
    const after = await series(url);
    expect(oursOf(after)).toEqual(oursOf(before));
    expect(after.get('line_replies_total{command="",outcome="unknownCommand"}')).toBe(1_020);
  });

  it('are in docs/OPERATIONS.md, each with its type', async () => {
    const { service, url } = await startManaged(QUIET);
    await talkTo(service);
    const text = await (await fetch(`${url}/metrics`)).text();
    const ours = /^# TYPE ((?:line|time_service)_\w+) (\w+)$/gm;
    const told = Array.from(text.matchAll(ours), ([, name, type]) => `${name} ${type}`);
    const rows = OPERATIONS.matchAll(/^\| `((?:line|time_service)_\w+)` +\| (\w+) /gm);
    const documented = Array.from(rows, ([, name, type]) => `${name} ${type}`);
    expect(told.length).toBeGreaterThan(12);
    expect(documented).toEqual(expect.arrayContaining(told));
  });

  it.skipIf(missing('promtool'))('pass promtool, which has nothing to say', async () => {
    const { service, url } = await startManaged(QUIET);
    await talkTo(service);
    const input = await (await fetch(`${url}/metrics`)).text();
    expect(
      execFileSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8', stdio: 'pipe' }),
    ).toBe('');
  });
});

/** Asks Prometheus for the value of one series. */
async function ask(prometheus: string, query: string): Promise<number | undefined> {
  const asked = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`).catch(
    () => undefined,
  );
  if (asked?.ok !== true) return undefined; // it starts
  const { data } = (await asked.json()) as { data: { result: { value: [number, string] }[] } };
  const [first] = data.result;
  return first === undefined ? undefined : Number(first.value[1]);
}

/** Starts a Prometheus that asks a service five times a second. */
async function startPrometheus(target: string): Promise<string> {
  const folder = temporaryFolder();
  const config = {
    global: { scrape_interval: '200ms', scrape_timeout: '200ms' },
    scrape_configs: [{ job_name: 'time', static_configs: [{ targets: [new URL(target).host] }] }],
  };
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, JSON.stringify(config)); // JSON is YAML
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${address}`,
    ],
    { stdio: 'ignore' },
  );
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return `http://${address}`;
}

describe.skipIf(missing('prometheus'))('a real Prometheus', () => {
  it('finds in a running service the traffic that there was', async () => {
    const { service, url } = await startManaged(QUIET);
    await talkTo(service);
    const prometheus = await startPrometheus(url);
    const settled = { timeout: 15_000, interval: 100 };
    await expect.poll(() => ask(prometheus, 'line_lines_total'), settled).toBe(123);
    expect(await ask(prometheus, 'up')).toBe(1);
    expect(await ask(prometheus, 'sum(line_replies_total)')).toBe(123);
    expect(await ask(prometheus, 'line_replies_total{command="TIME",outcome="replied"}')).toBe(100);
    expect(await ask(prometheus, 'line_replies_total{outcome="unknownCommand",command=""}')).toBe(
      20,
    );
    expect(await ask(prometheus, 'sum(line_handler_duration_seconds_count)')).toBe(101);
    expect(await ask(prometheus, 'sum(line_handler_duration_seconds_bucket{le="+Inf"})')).toBe(101);
    expect(
      await ask(
        prometheus,
        'histogram_quantile(0.99, line_handler_duration_seconds_bucket{command="TIME"})',
      ),
    ).toBeLessThan(10);
    await talkTo(service);
    await expect.poll(() => ask(prometheus, 'line_lines_total'), settled).toBe(246);
    expect(await ask(prometheus, 'time_service_ready')).toBe(1);
  }, 60_000);
});
