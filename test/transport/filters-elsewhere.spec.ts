/** What the line transport changes about exception filters, it changes for lines alone: Nest's TCP transport beside it is as ever. */
import type { AddressInfo, Server as NetServer } from 'node:net';
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  type NestInterceptor,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common';
import {
  BaseRpcExceptionFilter,
  ClientProxyFactory,
  MessagePattern,
  RpcException,
  Transport,
} from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { catchError, firstValueFrom, map, of, throwError, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { prepareLineApplication } from '../support/talk.js';

class Mishap extends Error {}

@Catch(Mishap)
class TextFilter implements ExceptionFilter {
  catch(): string {
    return 'text';
  }
}

@Catch(Mishap)
class NestsFilter extends BaseRpcExceptionFilter {
  override catch(_: Mishap, host: ArgumentsHost) {
    // oxlint-disable-next-line promise/valid-params -- it is no promise
    return super.catch(new RpcException('worded'), host);
  }
}

const passing: NestInterceptor = {
  intercept: (_, next) => next.handle().pipe(map((reply: unknown) => reply)),
};

@Controller()
class FailingController {
  @UseFilters(TextFilter)
  @MessagePattern('TEXT')
  text(): string {
    throw new Mishap('hidden');
  }

  @UseFilters(TextFilter)
  @MessagePattern('STREAM')
  stream() {
    return throwError(() => new Mishap('hidden'));
  }

  @UseFilters(TextFilter)
  @UseInterceptors(passing)
  @MessagePattern('BEHIND')
  behind(): string {
    throw new Mishap('hidden');
  }

  @UseFilters(NestsFilter)
  @MessagePattern('NESTS')
  nests(): string {
    throw new Mishap('hidden');
  }

  @MessagePattern('NONE')
  none(): string {
    throw new Mishap('hidden');
  }

  @MessagePattern('TOLD')
  told(): string {
    throw new RpcException({ code: 42 });
  }
}

/** All that a TCP client is told. */
async function askTcp(pattern: string): Promise<unknown> {
  const module = await Test.createTestingModule({ controllers: [FailingController] }).compile();
  const app = module.createNestMicroservice({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: 0 },
    logger: false,
  });
  onTestFinished(() => app.close());
  await app.listen();
  const { port } = app.unwrap<NetServer>().address() as AddressInfo;
  const client = ClientProxyFactory.create({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port },
  });
  onTestFinished(() => client.close());
  return firstValueFrom(
    client.send<unknown>(pattern, '').pipe(
      toArray(),
      catchError((error: unknown) => of({ error })),
    ),
  );
}

describe('With a line server in the same process', () => {
  it.each<[string, unknown, string]>([
    ['TEXT', ['text'], 'text'],
    ['STREAM', ['t', 'e', 'x', 't'], 'text'],
    ['BEHIND', ['t', 'e', 'x', 't'], 'text'],
    ['NESTS', { error: { status: 'error', message: 'worded' } }, 'ERROR: worded'],
    ['NONE', { error: { status: 'error', message: 'Internal server error' } }, 'SERVER ERROR.'],
    ['TOLD', { error: { code: 42 } }, 'ERROR: Rpc Exception'],
  ])('%s is answered over TCP as Nest has it, and to lines as lines', async (name, tcp, line) => {
    const server = await prepareLineApplication([FailingController]);
    expect(await server.inject(name)).toBe(line);
    expect(await askTcp(name)).toEqual(tcp);
    expect(await server.inject(name)).toBe(line);
  });
});
