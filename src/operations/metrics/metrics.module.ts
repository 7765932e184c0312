/**
 * MetricsModule: counts what this process serves, in a registry of its own. Also for a worker, which has no port for them: its primary
 * asks for `registry.getMetricsAsJSON()`. Needs a LineServer.
 */
import { Module } from '@nestjs/common';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { AnswerMetrics } from './answer-metrics.js';
import { LineMetrics } from './line-metrics.js';
import { TlsMetrics } from './tls-metrics.js';

@Module({
  providers: [
    { provide: Registry, useFactory: processRegistry },
    LineMetrics,
    AnswerMetrics,
    TlsMetrics,
  ],
  exports: [Registry],
})
export class MetricsModule {}

/** They walk through every open connection, to tell what `line_connections_open` does; and three of these gauges are named as counters. */
const LEFT_OUT = ['handles', 'requests', 'resources'].flatMap((what) => [
  `nodejs_active_${what}`,
  `nodejs_active_${what}_total`,
]);

/** What prom-client counts of a process. */
export function processRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of LEFT_OUT) registry.removeSingleMetric(name);
  return registry;
}
