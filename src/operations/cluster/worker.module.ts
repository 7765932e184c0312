/**
 * WorkerModule: what is different in a worker: its clients come from the primary, and its log lines tell whose they are.
 */
import { type DynamicModule, Module } from '@nestjs/common';
import { WORKER } from '../logging/worker.js';
import { ACCEPTOR } from './acceptor.js';
import type { PrimaryLink } from './primary-link.js';

@Module({})
export class WorkerModule {
  static of({ acceptor, id }: PrimaryLink): DynamicModule {
    return {
      module: WorkerModule,
      global: true,
      providers: [
        { provide: ACCEPTOR, useValue: acceptor },
        { provide: WORKER, useValue: id },
      ],
      exports: [ACCEPTOR, WORKER],
    };
  }
}
