/** The alerts as Prometheus itself takes them, each with its test and its page for whoever it wakes. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { missing } from '../support/programs.js';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

interface AlertTest {
  readonly alert_rule_test: readonly {
    readonly alertname: string;
    readonly exp_alerts: readonly unknown[];
  }[];
}

const FOLDER = new URL('../../deploy/prometheus/', import.meta.url);
const OPERATIONS = readFileSync(new URL('../../docs/OPERATIONS.md', import.meta.url), 'utf8');

const { groups } = read('alerts.yaml') as { groups: { rules: Rule[] }[] };
const RULES = groups.flatMap(({ rules }) => rules);
const { tests } = read('alerts.test.yaml') as { tests: AlertTest[] };

function read(name: string): unknown {
  return parse(readFileSync(new URL(name, FOLDER), 'utf8'));
}

async function promtool(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('promtool', args, { cwd: fileURLToPath(FOLDER) });
  return stdout;
}

describe.skipIf(missing('promtool'))('The alerts', () => {
  it('are rules that Prometheus takes, as is the configuration they are loaded by', async () => {
    expect(await promtool('check', 'config', 'prometheus.yaml')).toContain(
      `${RULES.length} rules found`,
    );
  });

  it('fire when they must, not before, and not for what is well', async () => {
    expect(await promtool('test', 'rules', 'alerts.test.yaml')).toContain('SUCCESS');
  });
});

describe.each(RULES)('The alert $alert', ({ alert, expr, labels, annotations }) => {
  it('is tested both ways: there is what it fires for, and what it does not fire for', () => {
    const fired = tests
      .flatMap(({ alert_rule_test }) => alert_rule_test)
      .filter(({ alertname }) => alertname === alert)
      .map(({ exp_alerts }) => exp_alerts.length);
    expect(new Set(fired)).toEqual(new Set([0, 1]));
  });

  it('says how urgent it is, what is wrong, and where to read on', () => {
    expect(['critical', 'warning']).toContain(labels.severity);
    expect(Object.keys(annotations)).toEqual(['summary', 'description', 'runbook']);
    const [, heading] = /^docs\/OPERATIONS\.md#([a-z]+)$/.exec(annotations['runbook'] ?? '') ?? [];
    expect(OPERATIONS.toLowerCase()).toContain(`\n### ${heading}\n`);
  });

  it('looks at this job only', () => {
    const selectors = expr.match(/\b(up|(line|time_service|process|nodejs)_\w+)\b(\{[^}]*\})?/g);
    expect(selectors).not.toBeNull();
    for (const selector of selectors ?? []) expect(selector).toContain('job="time-service"');
  });
});

describe('The page of the alerts', () => {
  it('has a section for each, in their order, and no other', () => {
    const [, page = ''] = /\n## Alerts\n([^]*?)\n## /.exec(OPERATIONS) ?? [];
    const sections = Array.from(page.matchAll(/^### (\w+)$/gm), ([, name]) => name);
    const runbooks = RULES.map(({ annotations }) => annotations['runbook']?.split('#')[1]);
    expect(sections.map((name) => name?.toLowerCase())).toEqual([...new Set(runbooks)]);
  });
});
