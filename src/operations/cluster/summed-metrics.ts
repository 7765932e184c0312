/**
 * SummedMetrics: what all workers have counted, also those that have ended: a counter never falls. Knows nothing of processes.
 */
import { AggregatorRegistry } from 'prom-client';
import type { Metrics } from './messages.js';

/** Of what each process has a limit of its own, the sum would hide one that is near it: the greatest is told. */
const GREATEST = new Set(['process_open_fds', 'process_max_fds']);
/** What only grows. How things are now, of those that have ended, is nothing any more. */
const COUNTED = new Set(['counter', 'histogram']);

export class SummedMetrics {
  #gone: Promise<Metrics> = Promise.resolve([]);

  /** One has ended; these are its last numbers. */
  keep(metrics: Metrics): void {
    const counted = metrics.filter(({ type }) => COUNTED.has(String(type)));
    this.#gone = this.#gone.then((gone) => sum([gone, counted]).getMetricsAsJSON());
  }

  /**
   * @param metrics those of each that has not ended; a metric's `aggregator` says what becomes of several: their sum, unless it is
   *   another. An average, as prom-client has it of `nodejs_eventloop_lag_*`, would hide one that is bad: the greatest is told, as it
   *   is of descriptors
   */
  async text(metrics: readonly Metrics[]): Promise<string> {
    return sum([await this.#gone, ...metrics]).metrics();
  }
}

function sum(metrics: Metrics[]): ReturnType<typeof AggregatorRegistry.aggregate> {
  return AggregatorRegistry.aggregate(
    metrics.map((each) =>
      each.map((metric) =>
        metric.aggregator === 'average' || GREATEST.has(metric.name)
          ? { ...metric, aggregator: 'max' }
          : metric,
      ),
    ),
  );
}
