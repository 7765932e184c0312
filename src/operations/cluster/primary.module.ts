/**
 * PrimaryModule: what the primary is made of: the settings, the log and the supervisor. It serves no lines.
 */
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { ConfigModule } from '@nestjs/config';
import { settings } from '../config/settings.js';
import { LoggingModule } from '../logging/logging.module.js';
import { Supervisor } from './supervisor.js';
import { SupervisorLog } from './supervisor-log.js';
import { WorkerPool } from './worker-pool.js';

@Global()
@Module({
  imports: [ConfigModule.forRoot({ isGlobal: true, load: [settings] }), LoggingModule.forRoot()],
  providers: [Supervisor, SupervisorLog, WorkerPool],
  exports: [Supervisor, WorkerPool],
})
export class PrimaryModule {
  /** @param imports what is there only where it is set */
  static with(imports: DynamicModule[]): DynamicModule {
    return { module: PrimaryModule, imports };
  }
}
