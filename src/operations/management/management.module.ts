/**
 * ManagementModule: `/livez`, `/readyz` and `/metrics`. It is told by its source how the service is and what was counted; so it is the
 * same for one process and for the primary of several.
 */
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { CLOCK_SOURCES } from '../clock/clock-report.js';
import { clockSources } from '../clock/clock-sources.js';
import { ClockSync } from '../clock/clock-sync.js';
import { Readiness } from '../health/readiness.js';
import { ManagementController } from './management.controller.js';
import { ServiceMetrics } from './service-metrics.js';

@Module({})
export class ManagementModule {
  /** @param source a module that exports a `SERVICE_STATE` and a `METRICS_TEXT` */
  static of(source: Type | DynamicModule): DynamicModule {
    return {
      module: ManagementModule,
      imports: [source, TerminusModule.forRoot({ logger: false })], // who asks every second is told, not the log
      controllers: [ManagementController],
      providers: [
        { provide: CLOCK_SOURCES, useValue: clockSources },
        ClockSync,
        Readiness,
        ServiceMetrics,
      ],
    };
  }
}
