/**
 * WorkersSourceModule: what the management port tells of a service of several processes: how the supervisor is, and the sums of what
 * the workers counted. Loaded only with that port.
 */
import { Module } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';
import { SERVICE_STATE } from '../health/service-state.js';
import { METRICS_TEXT, type MetricsText } from '../metrics/metrics-text.js';
import { SummedMetrics } from './summed-metrics.js';
import { Supervisor } from './supervisor.js';

@Module({
  providers: [
    { provide: SERVICE_STATE, useExisting: Supervisor },
    { provide: METRICS_TEXT, inject: [Supervisor], useFactory: metricsOfWorkers },
  ],
  exports: [SERVICE_STATE, METRICS_TEXT],
})
export class WorkersSourceModule {}

function metricsOfWorkers(supervisor: Supervisor): MetricsText {
  const summed = new SummedMetrics();
  const own = metricsOfSupervisor(supervisor);
  supervisor.onGone(({ metrics }) => summed.keep(metrics));
  return async () => {
    await Promise.all(supervisor.workers.map((worker) => worker.report()));
    const counted = await summed.text(supervisor.workers.map(({ metrics }) => metrics));
    return (await own.metrics()) + counted;
  };
}

function metricsOfSupervisor(supervisor: Supervisor): Registry {
  const registry = new Registry();
  const workers = {
    name: 'time_service_workers',
    help: 'Workers that serve; of WORKERS, also while they are replaced.',
    registers: [],
    collect(this: Gauge): void {
      this.set(supervisor.serving);
    },
  };
  const restarts = {
    name: 'time_service_worker_restarts_total',
    help: 'Workers that were replaced: one that had ended (ended), or each in turn (reload).',
    labelNames: ['reason'] as const,
    registers: [],
    collect(this: Counter<'reason'>): void {
      this.reset();
      for (const [reason, count] of Object.entries(supervisor.restarts))
        this.inc({ reason }, count);
    },
  };
  const start = {
    name: 'process_start_time_seconds',
    help: 'When the primary process began, in seconds since 1970; the workers may be younger.',
    registers: [],
  };
  registry.registerMetric(new Gauge(workers));
  registry.registerMetric(new Counter(restarts));
  const started = new Gauge(start);
  started.set(Math.floor(performance.timeOrigin / 1_000));
  registry.registerMetric(started);
  return registry;
}
