/**
 * The server that is fuzzed: one command for each way of answering, each so simple that model.ts can say what it answers. One
 * application for each setting, made when it is first asked for.
 */
import 'reflect-metadata';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Controller, type INestMicroservice, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type AsyncMicroserviceOptions, Ctx, RpcException } from '@nestjs/microservices';
import { of } from 'rxjs';
import {
  Args,
  CLOSE,
  closeWith,
  Command,
  LineContext,
  type LineReply,
  LineServer,
  type LineStream,
  LineTransportModule,
} from '../src/line-transport/index.js';
import type { Setting } from './script.js';

@Controller()
class EveryAnswerController {
  @Command('PING')
  ping(): LineReply {
    return 'PONG';
  }

  @Command('PING ALL')
  pingAll(): LineReply {
    return ['PONG', '', 'PONG'];
  }

  @Command('LATE')
  async late(): Promise<LineReply> {
    return Promise.resolve('LATE');
  }

  @Command('SLOW')
  slow(): Promise<LineReply> {
    return nextTurn('SLOW');
  }

  @Command('NONE')
  none(): void {}

  @Command('NO')
  no(): LineReply {
    throw new RpcException('no');
  }

  @Command('EACH')
  async *each(@Ctx() { connection }: LineContext): AsyncGenerator<LineReply> {
    yield 'one';
    connection.push('pushed');
    yield await Promise.resolve('two');
  }

  @Command('EMIT')
  emit(): LineStream {
    return of<LineReply[]>(1, [], ['2', '3']);
  }

  @Command('PÈRE')
  père(): LineReply {
    return 'fils é';
  }

  @Command('SAY', { args: 'words' })
  say(@Args() words: string[]): LineReply {
    return JSON.stringify(words);
  }

  @Command('SAY AS IT IS', { args: 'rest' })
  sayAsItIs(@Args() text: string): LineReply {
    return text;
  }

  @Command('SET', { args: ['key', 'value?'] })
  set(@Args() { key, value }: { key: string; value?: string }): LineReply {
    return `${key} is ${value ?? 'nothing'}`;
  }

  @Command('BYE')
  bye(): LineReply {
    return closeWith('bye');
  }

  @Command('QUIT')
  quit(): LineReply {
    return CLOSE;
  }
}

const applications = new Map<string, Promise<INestMicroservice>>();

/** The server with this setting. */
export async function serverFor(setting: Setting): Promise<LineServer> {
  const key = JSON.stringify(setting);
  const made = applications.get(key) ?? makeApplication(setting);
  applications.set(key, made);
  return (await made).get(LineServer);
}

/** Leaves the servers as they are, which is not as they have to be; the next to be asked for are new. */
export function abandonServers(): void {
  applications.clear();
}

/** Closes all servers. */
export async function closeServers(): Promise<void> {
  const made = [...applications.values()];
  applications.clear();
  for (const application of made) await (await application).close();
}

/** The line grace, in a time that passes only when a script is quiet. */
const GRACE_MS = 200;
/** The least there may be, so that input is paused early. */
const MAX_PENDING_BYTES = 1_024;

async function makeApplication(setting: Setting): Promise<INestMicroservice> {
  const { maxLineBytes, maxProtocolErrors, ignoreCase, hasGrace, isPipeline } = setting;
  @Module({
    imports: [
      LineTransportModule.forRoot({
        maxLineBytes,
        maxProtocolErrors,
        ignoreCase,
        lineGraceMs: hasGrace ? GRACE_MS : 0,
        dispatch: isPipeline ? 'pipeline' : 'auto',
        maxPendingBytes: MAX_PENDING_BYTES,
      }),
    ],
    controllers: [EveryAnswerController],
  })
  class FuzzModule {}

  const app = await NestFactory.createMicroservice<AsyncMicroserviceOptions>(FuzzModule, {
    inject: [LineServer],
    useFactory: (strategy: LineServer) => ({ strategy }),
    logger: false,
  });
  await app.init();
  return app;
}
