/** The dashboard is one that Grafana shows as it was meant. What its queries ask for is held to the service in metrics-used.spec.ts. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: unknown;
  readonly gridPos: Place;
  readonly targets?: readonly {
    readonly refId: string;
    readonly datasource: unknown;
    readonly instant?: boolean;
  }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string }[] };
}

const TEXT = readFileSync(
  new URL('../../deploy/grafana/time-service.json', import.meta.url),
  'utf8',
);
const { panels, templating } = JSON.parse(TEXT) as Dashboard;
const CHARTS = panels.filter(({ type }) => type !== 'row');

/** The squares of Grafana's grid that a panel takes. */
function squares({ x, y, w, h }: Place): string[] {
  return Array.from(
    { length: w * h },
    (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`,
  );
}

describe('The dashboard', () => {
  it('has panels that are apart, within 24 columns', () => {
    const taken = panels.flatMap(({ gridPos }) => squares(gridPos));
    expect(new Set(taken).size).toBe(taken.length);
    expect(Math.max(...panels.map(({ gridPos: { x, w } }) => x + w))).toBe(24);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  });

  it('tells how things are by what is there now: nothing is told of a service that has gone', () => {
    const now = panels.filter(({ type }) => type === 'stat');
    expect(now.length).toBeGreaterThan(0);
    for (const { title, targets = [] } of now) {
      expect
        .soft(
          targets.map(({ instant }) => instant),
          title,
        )
        .toEqual(targets.map(() => true));
    }
  });

  it('asks the data source that is chosen, by one name for each query', () => {
    const chosen = { type: 'prometheus', uid: '${datasource}' };
    for (const { title, datasource, targets = [] } of CHARTS) {
      expect.soft(datasource, title).toEqual(chosen);
      expect.soft(targets.map((target) => target.datasource)).toEqual(targets.map(() => chosen));
      expect
        .soft(targets.map(({ refId }) => refId))
        .toEqual(['A', 'B', 'C'].slice(0, targets.length));
    }
  });

  it('says what each panel means', () => {
    expect(CHARTS.filter(({ description = '' }) => description === '')).toEqual([]);
  });

  it('uses the variables that it has, and has those it uses', () => {
    const used = new Set(Array.from(TEXT.matchAll(/\$\{?(\w+)/g), ([, name = '']) => name));
    expect([...used].filter((name) => !name.startsWith('__')).toSorted()).toEqual(
      templating.list.map(({ name }) => name).toSorted(),
    );
  });
});
