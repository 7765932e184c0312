/**
 * SupervisorLog: what the primary says in the log. Knows nothing of why.
 */
import { Inject, Injectable } from '@nestjs/common';
import { type Settings, settings } from '../config/settings.js';
import { LOG, type Log } from '../logging/log.js';
import { LOG_MESSAGES, type LogMessages } from '../logging/log-messages.js';
import { ServiceLines } from '../logging/service-lines.js';
import type { WorkerEnd, WorkerProcess } from './worker-process.js';

@Injectable()
export class SupervisorLog {
  /** What is said of the whole service. */
  readonly service: ServiceLines;
  readonly #messages: LogMessages;

  constructor(
    @Inject(LOG) private readonly log: Log,
    @Inject(settings.KEY) { LOCALE }: Settings,
  ) {
    this.#messages = LOG_MESSAGES[LOCALE];
    this.service = new ServiceLines(log, this.#messages);
  }

  failed(error: Error): void {
    this.log.error({ event: 'serverFailed' }, this.#messages.serverFailed(error.message));
  }

  ready({ id, pid = 0 }: WorkerProcess): void {
    this.log.info({ event: 'workerReady', worker: id, pid }, this.#messages.workerReady(id, pid));
  }

  /** It ended, and nobody had told it to. */
  ended({ id, pid }: WorkerProcess, { code, signal, error }: WorkerEnd): void {
    const how = error?.message ?? signal ?? String(code);
    const fields = { event: 'workerEnded', worker: id, pid, code, signal };
    this.log.error(fields, this.#messages.workerEnded(id, how));
  }

  /** It did not take a client, or did not end, in time. */
  killed({ id, pid }: WorkerProcess): void {
    this.log.error({ event: 'workerKilled', worker: id, pid }, this.#messages.workerKilled(id));
  }

  restartStarted(): void {
    this.log.info({ event: 'restartStarted' }, this.#messages.restartStarted());
  }

  restartFinished(): void {
    this.log.info({ event: 'restartFinished' }, this.#messages.restartFinished());
  }

  restartFailed({ id }: WorkerProcess): void {
    this.log.error({ event: 'restartFailed', worker: id }, this.#messages.restartFailed(id));
  }
}
