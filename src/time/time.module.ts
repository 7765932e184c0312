/**
 * TimeModule: the clock and its controller, to be imported by an application that listens with a LineServer.
 */
import { type DynamicModule, type FactoryProvider, Module } from '@nestjs/common';
import { ClockService, TIME_ZONE } from './clock.service.js';
import { TimeController } from './time.controller.js';

/** The clock and the commands that tell it; {@link TimeModule.forRootAsync} where the zone is injected. */
@Module({ controllers: [TimeController], providers: [ClockService], exports: [ClockService] })
export class TimeModule {
  /** @param options where the zone's name comes from; without it the process's local zone is told */
  static forRootAsync(
    options: Pick<FactoryProvider<string | undefined>, 'inject' | 'useFactory'>,
  ): DynamicModule {
    return {
      module: TimeModule,
      providers: [{ provide: TIME_ZONE, ...options }],
      exports: [TIME_ZONE],
    };
  }
}
