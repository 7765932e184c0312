/**
 * ServiceMetrics: what there is once for the service, however many processes serve, and the whole text of `/metrics`.
 */
import { createRequire } from 'node:module';
import { Inject, Injectable } from '@nestjs/common';
import { Gauge, Registry } from 'prom-client';
import { ClockSync } from '../clock/clock-sync.js';
import { Readiness } from '../health/readiness.js';
import { METRICS_TEXT, type MetricsText } from '../metrics/metrics-text.js';

const PACKAGE: { version: string } = createRequire(import.meta.url)('../../../package.json');
const CLOCK_VALUES = { synchronized: 1, unsynchronized: 0, unknown: -1 } as const;

@Injectable()
export class ServiceMetrics {
  readonly #registry = new Registry();

  constructor(
    private readonly readiness: Readiness,
    private readonly clock: ClockSync,
    @Inject(METRICS_TEXT) private readonly source: MetricsText,
  ) {
    this.#addBuild();
    this.#addReadiness();
    this.#addClock();
  }

  async text(): Promise<string> {
    const [own, others] = await Promise.all([this.#registry.metrics(), this.source()]);
    return own + others;
  }

  #addBuild(): void {
    const build = new Gauge({
      name: 'time_service_build_info',
      help: 'Always 1; the labels are the version of the service and that of Node it runs on.',
      labelNames: ['version', 'node'],
      registers: [this.#registry],
    });
    build.set({ version: PACKAGE.version, node: process.version }, 1);
  }

  #addReadiness(): void {
    this.#gauge(
      'time_service_ready',
      'Whether new clients should be sent here, as /readyz says: 1 or 0.',
      async () => Number(await this.readiness.isReady()),
    );
  }

  #addClock(): void {
    this.#gauge(
      'time_service_clock_synchronized',
      'Whether the clock of the machine is synchronized: 1, 0, or -1 where that is not known.',
      async () => CLOCK_VALUES[(await this.clock.report()).state],
    );
    this.#gauge(
      'time_service_clock_offset_seconds',
      'By how much the clock of the machine is ahead of the right time, in seconds, where that is estimated.',
      async () => (await this.clock.report()).offsetSeconds,
    );
  }

  #gauge(name: string, help: string, read: () => Promise<number | undefined>): void {
    const collect = async function (this: Gauge): Promise<void> {
      const value = await read();
      if (value === undefined) this.remove();
      else this.set(value);
    };
    this.#registry.registerMetric(new Gauge({ name, help, registers: [], collect }));
  }
}
