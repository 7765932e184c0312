import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { SummedMetrics } from './summed-metrics.js';

/** What a worker tells whose event loop is late by so much. */
async function lagging(seconds: number): ReturnType<Registry['getMetricsAsJSON']> {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const metrics = await registry.getMetricsAsJSON();
  const lag = metrics.find(({ name }) => name === 'nodejs_eventloop_lag_p99_seconds');
  if (lag !== undefined) lag.values = [{ value: seconds, labels: {} }];
  return metrics;
}

describe('The metrics of several workers', () => {
  it('tell the greatest lag of an event loop: a good one does not hide a bad one', async () => {
    const text = await new SummedMetrics().text([await lagging(0.01), await lagging(2)]);
    expect(text).toMatch(/^nodejs_eventloop_lag_p99_seconds 2$/m);
  });

  it('are added up where nothing else is said', async () => {
    const registry = new Registry();
    new Gauge({ name: 'open', help: 'Open.', registers: [registry] }).set(3);
    const metrics = await registry.getMetricsAsJSON();
    expect(await new SummedMetrics().text([metrics, metrics])).toMatch(/^open 6$/m);
  });
});
