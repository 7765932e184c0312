/** The dashboard and the alerts ask for metrics that there are: a real Prometheus reads them from a real service, and answers. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { selfSigned } from '../support/certificates.js';
import { TestClient } from '../support/line-client.js';
import { freePort } from '../support/free-port.js';
import { missing } from '../support/programs.js';
import { Prometheus } from '../support/prometheus.js';
import { startService } from '../support/service.js';
import { TlsFiles } from '../support/tls-service.js';

interface Target {
  readonly expr: string;
  readonly legendFormat: string;
}

interface Panel {
  readonly title: string;
  readonly targets?: readonly Target[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string }[] };
}

interface Alerts {
  readonly groups: readonly { readonly rules: readonly { readonly expr: string }[] }[];
}

/** What a service has only beside chrony. */
const ONLY_SOMETIMES = 'time_service_clock_offset_seconds';

const DASHBOARD = JSON.parse(read('grafana/time-service.json')) as Dashboard;
const PANELS = DASHBOARD.panels.flatMap(({ title, targets = [] }) =>
  targets.map((target) => ({ title, ...target, expr: asGrafanaAsks(target.expr) })),
);
const ALERTS = (parse(read('prometheus/alerts.yaml')) as Alerts).groups.flatMap(
  ({ rules }) => rules,
);
const EXPRESSIONS = [
  ...PANELS.map(({ expr }) => expr),
  ...DASHBOARD.annotations.list.map(({ expr }) => asGrafanaAsks(expr)),
  ...ALERTS.map(({ expr }) => expr),
];

function read(name: string): string {
  return readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');
}

/** With every variable filled in, all jobs and all instances chosen. */
function asGrafanaAsks(expr: string): string {
  return expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('"$job"', '".*"')
    .replaceAll('"$instance"', '".*"');
}

/** What an expression looks at: each metric with each value of a label that it asks for, or with any value of that label. */
function selectorsOf(expr: string): string[] {
  const pattern = /\b((?:line|time_service|process|nodejs)_\w+)(?:\{([^}]*)\})?/g;
  return Array.from(expr.matchAll(pattern), ([, metric = '', matchers = '']) =>
    Array.from(matchers.matchAll(/(\w+)=~?"([^"]*)"/g), ([, label = '', values = '']) =>
      values
        .split('|')
        .map((value) => `${metric}{${label}${value === '.*' ? '!=""' : `="${value}"`}}`),
    ).flat(),
  ).flat();
}

/** Something of everything that is counted without an accident. */
async function traffic(port: number): Promise<void> {
  const client = await TestClient.connect(port);
  client.send(`${'TIME\n'.repeat(500)}nonsense\nQUIT\n`);
  await client.transcript();
  client.end();
}

/** Those of the expressions to which there is no answer. */
async function lacking(prometheus: Prometheus, expressions: string[]): Promise<string[]> {
  const answers = await Promise.all(
    // What is compared is looked at, not the outcome: nothing need be wrong.
    expressions.map((expr) => prometheus.query(expr.replace(/ > 0$/, ''))),
  );
  return expressions.filter((_, index) => answers[index]?.length === 0);
}

/** Panels whose legends ask for labels that there are not. */
async function mislabelled(prometheus: Prometheus): Promise<string[]> {
  const faults = PANELS.map(async ({ title, expr, legendFormat }) => {
    const labels = Array.from(legendFormat.matchAll(/\{\{(\w+)\}\}/g), ([, label = '']) => label);
    const shown = await prometheus.query(expr);
    return shown.some(({ metric }) => labels.some((label) => !(label in metric))) ? [title] : [];
  });
  return (await Promise.all(faults)).flat();
}

/** Prometheus looks every second. */
const POLLING = { timeout: 20_000, interval: 200 };

describe('Where Prometheus reads a service', () => {
  it.skipIf(missing('prometheus'))(
    'each panel of the dashboard shows something, and each alert looks at something',
    { timeout: 120_000 },
    async () => {
      const [alone, primary] = [await freePort(), await freePort()];
      const port = await startService({ MANAGEMENT_PORT: String(alone) }).port();
      const { settings } = new TlsFiles().write(selfSigned());
      await startService({ MANAGEMENT_PORT: String(primary), WORKERS: '2', ...settings }).port();
      const prometheus = await Prometheus.start(await freePort(), {
        'time-service': [`127.0.0.1:${alone}`, `127.0.0.1:${primary}`],
      });
      const always = [...EXPRESSIONS.flatMap(selectorsOf), ...PANELS.map(({ expr }) => expr)];

      // Rates need two samples, and garbage collection is counted when there is some.
      let left = always.filter((expr) => !expr.includes(ONLY_SOMETIMES));
      for (let tries = 0; left.length > 0 && tries < 40; tries++) {
        await traffic(port);
        await sleep(500);
        left = await lacking(prometheus, left);
      }
      expect(left).toEqual([]);
      expect(await mislabelled(prometheus)).toEqual([]);
      await Promise.all(EXPRESSIONS.map((expr) => prometheus.query(expr))); // none is refused
    },
  );

  it.skipIf(missing('prometheus'))(
    'the dashboard says of a service that it does not answer',
    async () => {
      const prometheus = await Prometheus.start(await freePort(), {
        'time-service': [`127.0.0.1:${await freePort()}`],
      });
      const ready = PANELS.find(({ title }) => title === 'Ready')?.expr ?? '';
      await expect
        .poll(async () => (await prometheus.query(ready)).map(({ value }) => value[1]), POLLING)
        .toEqual(['-1']);
    },
  );

  it('every metric of ours is on the dashboard', async () => {
    const management = await freePort();
    await startService({ MANAGEMENT_PORT: String(management) }).port();
    const text = await (await fetch(`http://127.0.0.1:${management}/metrics`)).text();
    const ours = /^# TYPE ((?:line|time_service)_\w+) /gm;
    const names = Array.from(text.matchAll(ours), ([, name = '']) => name);
    const shown = PANELS.map(({ expr }) => expr).join('\n');
    expect(names.length).toBeGreaterThan(10);
    expect(names.filter((name) => !shown.includes(name))).toEqual([]);
  });
});
