import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../line-transport/index.js';
import { AnswerTally, DURATION_BOUNDS } from './answer-tally.js';
import { DurationHistogram } from './duration-histogram.js';

function tallyOf(...durations: [outcome: Outcome, durationMs: number][]): AnswerTally {
  const tally = new AnswerTally();
  for (const [outcome, durationMs] of durations) tally.add({ command: 'GET', outcome, durationMs });
  return tally;
}

/** What a histogram of one command says of each of its series, without the name they begin with. */
async function told(tally: AnswerTally): Promise<Record<string, number>> {
  const registry = new Registry();
  registry.registerMetric(new DurationHistogram('took_seconds', 'h', new Map([['GET', tally]])));
  const lines = (await registry.metrics()).matchAll(/^took_seconds_(\S+) (.+)$/gm);
  return Object.fromEntries(Array.from(lines, ([, name = '', value]) => [name, Number(value)]));
}

describe('DurationHistogram', () => {
  it('counts in each bucket what took at most so long', async () => {
    const histogram = await told(
      tallyOf(
        ['replied', 0.002],
        ['replied', 1],
        ['failed', 1.5],
        ['timedOut', 29_000],
        ['replied', 60_000],
      ),
    );
    expect(histogram).toMatchObject({
      'bucket{le="0.00001",command="GET"}': 1,
      'bucket{le="0.0001",command="GET"}': 1,
      'bucket{le="0.001",command="GET"}': 2,
      'bucket{le="0.005",command="GET"}': 3,
      'bucket{le="10",command="GET"}': 3,
      'bucket{le="30",command="GET"}': 4,
      'bucket{le="+Inf",command="GET"}': 5,
      'count{command="GET"}': 5,
    });
    expect(histogram['sum{command="GET"}']).toBeCloseTo(89.002_502, 6);
    expect(Object.keys(histogram)).toHaveLength(DURATION_BOUNDS.length + 3);
  });

  it('leaves out lines for which no handler was called', async () => {
    const histogram = await told(
      tallyOf(['badArguments', 1], ['unknownCommand', 1], ['lineTooLong', 1], ['abandoned', 1]),
    );
    expect(histogram['count{command="GET"}']).toBe(1);
  });

  it('says nothing of a command that was not asked for', async () => {
    expect(await told(new AnswerTally())).toEqual({});
  });

  it('says the same to another process as in its text', async () => {
    const registry = new Registry();
    const tallies = new Map([['GET', tallyOf(['replied', 3])]]);
    registry.registerMetric(new DurationHistogram('took_seconds', 'h', tallies));
    const [metric] = await registry.getMetricsAsJSON();
    expect(metric).toMatchObject({ name: 'took_seconds', type: 'histogram', aggregator: 'sum' });
    expect(metric?.values).toContainEqual({
      metricName: 'took_seconds_bucket',
      labels: { le: 0.005, command: 'GET' },
      value: 1,
    });
  });
});
