/**
 * WorkersSourceModule: what the management port tells of a service of several processes: how the supervisor is, and the sums of what
 * its processes counted. Loaded only with that port.
 */
import { Module } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';
import { SERVICE_STATE } from '../health/service-state.js';
import { processRegistry } from '../metrics/metrics.module.js';
import { METRICS_TEXT, type MetricsText } from '../metrics/metrics-text.js';
import { SummedMetrics } from './summed-metrics.js';
import { Supervisor } from './supervisor.js';
import { WorkerPool } from './worker-pool.js';

@Module({
  providers: [
    { provide: SERVICE_STATE, useExisting: Supervisor },
    { provide: METRICS_TEXT, inject: [Supervisor, WorkerPool], useFactory: metricsOfWorkers },
  ],
  exports: [SERVICE_STATE, METRICS_TEXT],
})
export class WorkersSourceModule {}

function metricsOfWorkers(supervisor: Supervisor, pool: WorkerPool): MetricsText {
  const summed = new SummedMetrics();
  const ofSupervisor = metricsOfSupervisor(supervisor);
  const ofPrimary = metricsOfPrimary(supervisor);
  pool.onGone(({ metrics }) => summed.keep(metrics));
  return async () => {
    await Promise.all(pool.workers.map((worker) => worker.report()));
    const workers = pool.workers.map(({ metrics }) => metrics);
    const counted = await summed.text([await ofPrimary.getMetricsAsJSON(), ...workers]);
    return (await ofSupervisor.metrics()) + counted;
  };
}

/** What is added to what workers count: the primary is one process more, and a client may come no further. */
function metricsOfPrimary(supervisor: Supervisor): Registry {
  const registry = processRegistry();
  const refused = {
    name: 'line_connections_refused_total',
    help: 'Connections that were closed instead of served, by reason.',
    labelNames: ['reason'] as const,
    registers: [],
    collect(this: Counter<'reason'>): void {
      this.reset();
      this.inc({ reason: 'maxConnections' }, supervisor.dropped);
    },
  };
  registry.registerMetric(new Counter(refused));
  return registry;
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
    help: 'Workers that came to serve in the place of others: of one that had ended (ended), or of each in turn (reload).',
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
