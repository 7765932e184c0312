/**
 * LoggingModule: the log, Nest's way into it, and the line server's events in it. Needs the settings and a LineServer.
 */
import { type DynamicModule, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { type Settings, settings } from '../config/settings.js';
import { DESCRIBE_REPLY, type DescribeReply, EventLog } from './event-log.js';
import { createLog, LOG } from './log.js';
import { LOG_MESSAGES } from './log-messages.js';
import { LogOutput } from './log-output.js';
import { NestLog } from './nest-log.js';

/** How the application says its replies in the log. */
export interface LoggingModuleOptions {
  readonly describeReply: DescribeReply;
}

@Module({})
export class LoggingModule implements OnApplicationShutdown {
  constructor(@Inject(LogOutput) private readonly output: LogOutput) {}

  static forRoot({ describeReply }: LoggingModuleOptions): DynamicModule {
    return {
      module: LoggingModule,
      providers: [
        { provide: DESCRIBE_REPLY, useValue: describeReply },
        { provide: LogOutput, inject: [settings.KEY], useFactory: standardOutput },
        {
          provide: LOG,
          inject: [settings.KEY, LogOutput],
          useFactory: ({ LOG_LEVEL: level, LOG_FORMAT: format }: Settings, output: LogOutput) =>
            createLog({ level, format }, output),
        },
        NestLog,
        EventLog,
      ],
      exports: [NestLog],
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
