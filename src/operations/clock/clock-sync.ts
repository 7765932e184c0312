/**
 * ClockSync: whether the machine's clock is synchronized, looked at now and then, and logged when it changes. Knows nothing of who
 * is asked (`clock-sources.ts`) and of what is done with the answer.
 */
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import { type Settings, settings } from '../config/settings.js';
import { LOG, type Log } from '../logging/log.js';
import { LOG_MESSAGES } from '../logging/log-messages.js';
import {
  CLOCK_SOURCES,
  type ClockReport,
  type ClockSource,
  type ClockState,
} from './clock-report.js';

/** How often it is asked. */
const ASK_MS = 30_000;
/** How long all sources together may take to answer. */
const ANSWER_MS = 2_000;

const LOGGED = {
  synchronized: ['info', 'clockSynchronized'],
  unsynchronized: ['warn', 'clockUnsynchronized'],
  unknown: ['info', 'clockUnknown'],
} as const satisfies Record<ClockState, readonly ['info' | 'warn', string]>;

@Injectable()
export class ClockSync implements OnApplicationBootstrap, OnModuleDestroy {
  #asked: Promise<void> | undefined;
  #report: ClockReport | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(LOG) private readonly log: Log,
    @Inject(settings.KEY) private readonly given: Settings,
    @Inject(CLOCK_SOURCES) private readonly sources: readonly ClockSource[],
  ) {}

  onApplicationBootstrap(): void {
    this.#asked = this.#ask();
    this.#timer = setInterval(() => void this.#ask(), ASK_MS).unref();
  }

  onModuleDestroy(): void {
    clearInterval(this.#timer);
  }

  /** What was known when it was last looked at; at the very start, waits for the first answer, or two seconds. */
  async report(): Promise<ClockReport> {
    await this.#asked;
    return this.#report ?? { state: 'unknown' };
  }

  async #ask(): Promise<void> {
    const report = await this.#firstAnswer(AbortSignal.timeout(ANSWER_MS));
    if (report.state !== this.#report?.state) this.#tell(report);
    this.#report = report;
  }

  async #firstAnswer(signal: AbortSignal): Promise<ClockReport> {
    for (const source of this.sources) {
      const report = await source(signal);
      if (report !== undefined) return report;
    }
    return { state: 'unknown' };
  }

  #tell(report: ClockReport): void {
    const [level, event] = LOGGED[report.state];
    const message = LOG_MESSAGES[this.given.LOCALE][event](report.source ?? '');
    this.log[level]({ event, ...report }, message);
  }
}
