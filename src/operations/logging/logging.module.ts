/**
 * LoggingModule: the log, Nest's way into it, and the line server's events in it. Needs the settings, and a LineServer where there are
 * such events.
 */
import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { type Settings, settings } from '../config/settings.js';
import { DESCRIBE_REPLY, type DescribeReply, EventLog } from './event-log.js';
import { createLog, LOG } from './log.js';
import { LOG_MESSAGES } from './log-messages.js';
import { LogOutput } from './log-output.js';
import { NestLog } from './nest-log.js';
import { StartWarnings } from './start-warnings.js';
import { WORKER } from './worker.js';

/** How the application says its replies in the log; without it, the process has no line server. */
export interface LoggingModuleOptions {
  readonly describeReply?: DescribeReply;
}

@Module({})
export class LoggingModule implements OnApplicationShutdown {
  constructor(@Inject(LogOutput) private readonly output: LogOutput) {}

  static forRoot({ describeReply }: LoggingModuleOptions = {}): DynamicModule {
    const ofLineServer = [{ provide: DESCRIBE_REPLY, useValue: describeReply }, EventLog];
    return {
      module: LoggingModule,
      global: true,
      providers: [
        { provide: LogOutput, inject: [settings.KEY], useFactory: standardOutput },
        {
          provide: LOG,
          inject: [settings.KEY, LogOutput, { token: WORKER, optional: true }],
          useFactory: (given: Settings, output: LogOutput, worker?: number) =>
            createLog({ level: given.LOG_LEVEL, format: given.LOG_FORMAT, worker }, output),
        },
        NestLog,
        StartWarnings,
        ...(describeReply === undefined ? [] : ofLineServer),
      ],
      exports: [LOG, NestLog],
    };
  }

  /** The last lines are written before the process ends. */
  onApplicationShutdown(): Promise<void> {
    return this.output.flush();
  }
}

function standardOutput({ LOCALE, LOG_FORMAT: format }: Settings): LogOutput {
  return new LogOutput(process.stdout, (count) => {
    let line = '';
    const log = createLog({ level: 'warn', format }, { write: (text) => (line = text) });
    log.warn({ event: 'linesDropped', count }, LOG_MESSAGES[LOCALE].linesDropped(count));
    return line;
  });
}
