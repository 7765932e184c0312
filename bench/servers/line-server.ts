/**
 * Small Nest applications on LineServer, one for each FORM: `auto`, `pipeline`, `enhancers`, `tls`. `workers 1` and `workers 2` are
 * processes of a cluster, whose command burns processor time.
 */
import cluster from 'node:cluster';
import { once } from 'node:events';
import {
  Controller,
  Module,
  type Type,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import {
  Command,
  LineServer,
  type LineServerOptions,
  LineTransportModule,
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

interface Form {
  readonly module: Type;
  readonly options?: LineServerOptions;
  /** How its commands must be reached for the measurement to be what it says. */
  readonly dispatch: 'direct' | 'pipeline';
}

const FORMS: Readonly<Record<string, Form>> = {
  auto: { module: TimeModule, dispatch: 'direct' },
  pipeline: { module: TimeModule, options: { dispatch: 'pipeline' }, dispatch: 'pipeline' },
  enhancers: { module: EnhancedModule, dispatch: 'pipeline' },
  tls: {
    module: TimeModule,
    options: FORM === 'tls' ? { tls: certificate() } : {},
    dispatch: 'direct',
  },
  'workers 1': { module: BurningModule, dispatch: 'direct' },
  'workers 2': { module: BurningModule, dispatch: 'direct' },
};

async function listen(): Promise<void> {
  const form = FORMS[FORM];
  if (form === undefined) throw new Error(`There is no such form: ${FORM}`);
  const options = { host: HOST, port: PORT, maxConnections: 1_000_000, ...form.options };
  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(
    { module: form.module, imports: [LineTransportModule.forRoot(options)] },
    {
      inject: [LineServer],
      useFactory: (strategy: LineServer) => ({ strategy }),
      logger: ['error'],
    },
  );
  if (cluster.isWorker) await othersAreReady();
  await app.listen();
  const other = app.get(LineServer).commands.find(({ dispatch }) => dispatch !== form.dispatch);
  if (other !== undefined)
    throw new Error(`${other.name} is not ${form.dispatch}: ${other.reason}`);
}

/** A worker that listens alone would be given all connections. */
async function othersAreReady(): Promise<void> {
  process.send?.('ready');
  await once(process, 'message');
}

async function fork(count: number): Promise<void> {
  const workers = Array.from({ length: count }, () => cluster.fork());
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  for (const worker of workers) worker.send('listen');
}

const [, workers] = /^workers (\d+)$/.exec(FORM) ?? [];
if (workers === undefined || cluster.isWorker) await listen();
else await fork(Number(workers));
