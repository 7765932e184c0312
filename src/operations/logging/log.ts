/**
 * The service's log: pino, one line per event, as text in the old service's manner or as JSON.
 */
import { type DestinationStream, type LogFn, type Logger, pino, stdTimeFunctions } from 'pino';

/** Writes log lines: `log.info({ event, …fields }, message)`. */
export type Log = Logger;

/** The injection token of the {@link Log}. */
export const LOG = Symbol('log');

/** How and from which level on the log is written. */
export interface LogOptions {
  readonly level: string;
  readonly format: 'text' | 'json';
  /** Which of several processes writes; in JSON lines the field `worker`. */
  readonly worker?: number | undefined;
}

export function createLog({ level, format, worker }: LogOptions, output: DestinationStream): Log {
  if (format === 'text') {
    const hooks = { logMethod: logMessageOnly };
    return pino({ level, base: null, timestamp: false, hooks }, asText(output));
  }
  return pino(
    {
      level,
      base: worker === undefined ? null : { worker },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    output,
  );
}

/** The text format has no fields, so pino need not make JSON of them: that would be half of what a line costs. */
function logMessageOnly(this: Log, [fields, message]: Parameters<LogFn>, log: LogFn): void {
  log.call(this, null, typeof fields === 'string' ? fields : message);
}

/** One line of the text format: `2026-11-22 06:14:20,123 - [SERVER] - message`, in the process's local time. */
export function textLine(message: string, now = Date.now()): string {
  return `${localTime(now)} - [SERVER] - ${message}\n`;
}

/** With its metadata symbol set, pino tells a destination the message itself (pino's docs, "Destination metadata"). */
function asText(output: DestinationStream): DestinationStream {
  return {
    [Symbol.for('pino.metadata')]: true,
    lastMsg: '',
    write(): void {
      output.write(textLine(this.lastMsg));
    },
  } as DestinationStream & { lastMsg: string };
}

let formattedSecond = Number.NaN;
let formattedText = '';

/** Formatted once a second: offsets change on whole seconds. */
function localTime(now: number): string {
  const second = Math.floor(now / 1000);
  if (second !== formattedSecond) {
    const at = new Date(now);
    formattedSecond = second;
    formattedText =
      `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ` +
      `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  }
  return `${formattedText},${String(now - second * 1000).padStart(3, '0')}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
