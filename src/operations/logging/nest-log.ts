/**
 * NestLog: Nest's own lines, and those of every `new Logger(context)`, go through the service's log.
 */
import { inspect } from 'node:util';
import { Inject, Injectable, type LoggerService, Optional } from '@nestjs/common';
import { escapeControls } from './escape.js';
import { LOG, type Log } from './log.js';
import { WORKER } from './worker.js';

@Injectable()
export class NestLog implements LoggerService {
  constructor(
    @Inject(LOG) private readonly out: Log,
    @Optional() @Inject(WORKER) private readonly worker?: number,
  ) {}

  /** Of several workers each would tell the same of how it was put together. */
  log(message: unknown, ...rest: unknown[]): void {
    if (this.worker === undefined) this.#write('info', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.#write('fatal', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.#write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.#write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.#write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.#write('trace', message, rest);
  }

  /** Nest passes `(message, …more, context)`, and for an error `(message, stack, context)`. */
  #write(
    level: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace',
    message: unknown,
    rest: readonly unknown[],
  ): void {
    if (!this.out.isLevelEnabled(level)) return;
    const more = rest.filter((part) => part !== undefined); // a Logger fills in for a stack it was not given
    const last = more.at(-1);
    const isContext = typeof last === 'string' && !last.includes('\n'); // a stack has lines
    const context = isContext ? escapeControls(last) : undefined;
    const parts = [message, ...(isContext ? more.slice(0, -1) : more)].map(text);
    const prefix = context === undefined ? '' : `[${context}] `;
    this.out[level]({ event: 'nest', context }, prefix + escapeControls(parts.join(' ')));
  }
}

function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Error) return value.stack ?? value.message;
  return inspect(value, { breakLength: Infinity });
}
