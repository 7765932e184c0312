/**
 * Readiness: whether new clients should be sent here, and why not. Knows nothing of HTTP.
 */
import { Inject, Injectable } from '@nestjs/common';
import {
  type HealthCheckResult,
  HealthCheckService,
  type HealthIndicatorResult,
  HealthIndicatorService,
} from '@nestjs/terminus';
import { ClockSync } from '../clock/clock-sync.js';
import { type Settings, settings } from '../config/settings.js';
import { SERVICE_STATE, type ServiceState } from './service-state.js';

/** From this share of its connections on, others should be given the next ones: some of them are still on their way here. */
const ALARM = 0.9;

@Injectable()
export class Readiness {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly clock: ClockSync,
    @Inject(SERVICE_STATE) private readonly state: ServiceState,
    @Inject(settings.KEY) private readonly given: Settings,
  ) {}

  /** @throws {ServiceUnavailableException} with the same result, if it is not ready */
  check(): Promise<HealthCheckResult> {
    return this.health.check([() => this.#line(), () => this.#connections(), () => this.#clock()]);
  }

  async isReady(): Promise<boolean> {
    try {
      await this.check();
      return true;
    } catch {
      return false;
    }
  }

  #line(): HealthIndicatorResult {
    const indicator = this.indicators.check('line');
    if (this.state.isLeaving) return indicator.down('was told to end');
    return this.state.isListening ? indicator.up() : indicator.down('does not listen');
  }

  #connections(): HealthIndicatorResult {
    const { open, max } = this.state;
    const indicator = this.indicators.check('connections');
    return open < ALARM * max ? indicator.up({ open, max }) : indicator.down({ open, max });
  }

  /** Where the state of the clock cannot be known, that is no reason to refuse: it would be so on every machine of that kind. */
  async #clock(): Promise<HealthIndicatorResult> {
    const indicator = this.indicators.check('clock');
    const report = await this.clock.report();
    const isRefused = this.given.REQUIRE_CLOCK_SYNC && report.state === 'unsynchronized';
    return isRefused ? indicator.down({ ...report }) : indicator.up({ ...report });
  }
}
