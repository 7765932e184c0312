/**
 * ManagementController: what can be asked over the management port, and in which form it is answered.
 */
import { Controller, Get, Header } from '@nestjs/common';
import { HealthCheck, type HealthCheckResult } from '@nestjs/terminus';
import { Registry } from 'prom-client';
import { Readiness } from '../health/readiness.js';
import { ServiceMetrics } from './service-metrics.js';

@Controller()
export class ManagementController {
  constructor(
    private readonly readiness: Readiness,
    private readonly metrics: ServiceMetrics,
  ) {}

  /** That it answers at all is the answer: the event loop turns. */
  @Get('livez')
  @Header('Content-Type', 'text/plain')
  @Header('Cache-Control', 'no-store')
  livez(): string {
    return 'ok\n';
  }

  @Get('readyz')
  @HealthCheck({ noCache: true, swaggerDocumentation: false })
  readyz(): Promise<HealthCheckResult> {
    return this.readiness.check();
  }

  @Get('metrics')
  @Header('Content-Type', Registry.PROMETHEUS_CONTENT_TYPE)
  text(): Promise<string> {
    return this.metrics.text();
  }
}
