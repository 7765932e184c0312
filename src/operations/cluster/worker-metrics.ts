/**
 * What a worker counts, for its primary, which has the port for it. Loaded only where that is asked for.
 */
import type { INestApplicationContext } from '@nestjs/common';
import { Registry } from 'prom-client';
import type { Metrics } from './messages.js';

export { MetricsModule } from '../metrics/metrics.module.js';

export function metricsOf(app: INestApplicationContext): Promise<Metrics> {
  return app.get(Registry, { strict: false }).getMetricsAsJSON();
}
