/**
 * Small Nest applications on LineServer, one for each FORM: `auto`, `pipeline`, `enhancers`, `tls`. `workers 1` and `workers 2` are
 * processes of a cluster, whose command burns processor time.
 */
import cluster from 'node:cluster';
import {
  Controller,
  Module,
  type Type,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Command,
  LineServer,
  type LineServerOptions,
  RawLine,
} from '../../src/line-transport/index.js';
import { jam } from '../../src/time/time-protocol.js';
import { ClockService } from '../../src/time/clock.service.js';
import { TimeModule } from '../../src/time/time.module.js';
import { burn } from './burn.js';
import { LetIn, PassOn, PassThrough } from './enhancers.js';
import { certificate, FORM, HOST, PORT } from './environment.js';

/** TIME as in src/time, with a guard, an interceptor and a pipe that let everything through. */
@Controller()
class EnhancedController {
  constructor(private readonly clock: ClockService) {}

  @UseGuards(LetIn)
  @UseInterceptors(PassThrough)
  @UsePipes(PassOn)
  @Command('TIME')
  time(@RawLine() _line: string): string {
    return jam(this.clock.timeOfDay());
  }
}

@Module({ providers: [ClockService], controllers: [EnhancedController] })
class EnhancedModule {}

@Controller()
class BurningController {
  @Command('BURN')
  burn(): string {
    return String(burn());
  }
}

@Module({ controllers: [BurningController] })
class BurningModule {}

const FORMS: Readonly<Record<string, { module: Type; options?: LineServerOptions }>> = {
  auto: { module: TimeModule },
  pipeline: { module: TimeModule, options: { dispatch: 'pipeline' } },
  enhancers: { module: EnhancedModule },
  tls: { module: TimeModule, options: FORM === 'tls' ? { tls: certificate() } : {} },
  'workers 1': { module: BurningModule },
  'workers 2': { module: BurningModule },
};

async function listen(): Promise<void> {
  const form = FORMS[FORM];
  if (form === undefined) throw new Error(`There is no such form: ${FORM}`);
  const strategy = new LineServer({
    host: HOST,
    port: PORT,
    maxConnections: 1_000_000,
    ...form.options,
  });
  const app = await NestFactory.createMicroservice(form.module, { strategy, logger: ['error'] });
  await app.listen();
}

const [, workers] = /^workers (\d+)$/.exec(FORM) ?? [];
if (workers === undefined || cluster.isWorker) {
  await listen();
} else {
  for (let i = 0; i < Number(workers); i++) cluster.fork();
}
