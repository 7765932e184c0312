/**
 * LineSourceModule: what the management port tells of a service that is this process. Several processes have another source.
 */
import { Module } from '@nestjs/common';
import { Registry } from 'prom-client';
import { LineServiceState } from '../health/line-service-state.js';
import { SERVICE_STATE } from '../health/service-state.js';
import { METRICS_TEXT, type MetricsText } from '../metrics/metrics-text.js';
import { MetricsModule } from '../metrics/metrics.module.js';

@Module({
  imports: [MetricsModule],
  providers: [
    LineServiceState,
    { provide: SERVICE_STATE, useExisting: LineServiceState },
    {
      provide: METRICS_TEXT,
      inject: [Registry],
      useFactory:
        (registry: Registry): MetricsText =>
        () =>
          registry.metrics(),
    },
  ],
  exports: [SERVICE_STATE, METRICS_TEXT],
})
export class LineSourceModule {}
