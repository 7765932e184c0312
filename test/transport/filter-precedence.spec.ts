/** Which exception filter answers a line, and what it is given. */
import {
  type ArgumentsHost,
  Catch,
  Controller,
  type ExceptionFilter,
  ForbiddenException,
  HttpException,
  Injectable,
  NotFoundException,
  type Type,
  UseFilters,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { Ctx, RpcException } from '@nestjs/microservices';
import { concat, of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  Command,
  LineContext,
  type LineReply,
  type LineStream,
} from '../../src/line-transport/index.js';
import { prepareLineApplication, talk } from '../support/talk.js';

class Mishap extends Error {}
class WorseMishap extends Mishap {}

/** A filter that says who answered. */
function named(name: unknown, ...types: Type<unknown>[]): ExceptionFilter {
  @Catch(...types)
  class NamedFilter implements ExceptionFilter {
    catch(): unknown {
      return name;
    }
  }
  return new NamedFilter();
}

interface Filters {
  readonly method?: ExceptionFilter[];
  readonly controller?: ExceptionFilter[];
  readonly global?: ExceptionFilter[];
}

async function answererOf(exception: Error, filters: Filters): Promise<string> {
  @UseFilters(...(filters.controller ?? []))
  @Controller()
  class FailingController {
    @UseFilters(...(filters.method ?? []))
    @Command('FAIL')
    fail(): LineReply {
      throw exception;
    }
  }

  const server = await prepareLineApplication([FailingController], [], (app) =>
    app.useGlobalFilters(...(filters.global ?? [])),
  );
  return server.inject('FAIL');
}

describe('Of several filters', () => {
  const method = [named('method', Mishap)];
  const controller = [named('controller', Mishap)];
  const global = [named('global', Mishap)];

  it.each<[string, Filters]>([
    ['method', { method, controller, global }],
    ['controller', { controller, global }],
    ['global', { global }],
  ])('that of the %s answers, being the nearest', async (nearest, filters) => {
    expect(await answererOf(new Mishap('hidden'), filters)).toBe(nearest);
  });

  it('one that catches another type is passed over', async () => {
    const other = [named('other', TypeError)];
    const filters = { method: other, controller: other, global };
    expect(await answererOf(new Mishap('hidden'), filters)).toBe('global');
    expect(await answererOf(new Error('hidden'), filters)).toBe('SERVER ERROR.');
  });

  it('one for a base class answers its subclasses, unless a nearer one answers them', async () => {
    const worse = [named('worse', WorseMishap)];
    expect(await answererOf(new WorseMishap('hidden'), { controller })).toBe('controller');
    expect(await answererOf(new WorseMishap('hidden'), { method: worse, controller })).toBe(
      'worse',
    );
    expect(await answererOf(new Mishap('hidden'), { method: worse, controller })).toBe(
      'controller',
    );
  });

  it('one for every type answers every type', async () => {
    const all = [named('all')];
    expect(await answererOf(new TypeError('hidden'), { controller, global: all })).toBe('all');
    expect(await answererOf(new Mishap('hidden'), { controller, global: all })).toBe('controller');
  });

  it('the last of one place is asked first', async () => {
    const both = [named('first', Mishap), named('last', Mishap)];
    expect(await answererOf(new Mishap('hidden'), { method: both })).toBe('last');
  });

  it('one that answers nothing leaves it to the words of the transport, not to the next filter', async () => {
    const silent = [named(undefined, Error)];
    const filters = { method: silent, controller, global };
    expect(await answererOf(new Mishap('hidden'), filters)).toBe('SERVER ERROR.');
    expect(await answererOf(new RpcException('told'), filters)).toBe('ERROR: told');
  });
});

describe('A filter', () => {
  it('is given the exception itself, and the line as its host', async () => {
    const seen: unknown[] = [];

    @Catch(HttpException)
    class SeeingFilter implements ExceptionFilter<HttpException> {
      catch(exception: HttpException, host: ArgumentsHost): string {
        const rpc = host.switchToRpc();
        const context = rpc.getContext<LineContext<{ user: string }>>();
        seen.push(exception.constructor, host.getType(), rpc.getData());
        return `${context.session.user} ${exception.getStatus()} ${context.line}`;
      }
    }

    @UseFilters(SeeingFilter)
    @Controller()
    class MissingController {
      @Command('GET', { args: ['key'] })
      get(@Ctx() { session }: LineContext<{ user: string }>): LineReply {
        session.user = 'ada';
        throw new NotFoundException('hidden');
      }

      @Command('STREAM', { args: 'rest' })
      stream(): LineStream {
        return concat(
          of('fine'),
          throwError(() => new ForbiddenException('hidden')),
        );
      }
    }

    const server = await prepareLineApplication([MissingController]);
    expect(await talk(server, 'GET a', 'STREAM to me')).toEqual([
      'ada 404 GET a',
      'fine',
      'ada 403 STREAM to me',
    ]);
    expect(seen).toEqual([
      NotFoundException,
      'rpc',
      { key: 'a' },
      ForbiddenException,
      'rpc',
      'to me',
    ]);
  });

  it('is not asked where nothing failed', async () => {
    @UseFilters(named('never'))
    @Controller()
    class FineController {
      @Command('FINE')
      fine(): LineReply {
        return 'fine';
      }
    }

    const server = await prepareLineApplication([FineController]);
    expect(await talk(server, 'FINE', 'UNKNOWN')).toEqual(['fine', 'UNKNOWN COMMAND. Use FINE.']);
  });

  it('that is provided for the application is injected what it needs', async () => {
    @Injectable()
    class Excuses {
      readonly usual = 'sorry';
    }

    @Catch(Mishap)
    @Injectable()
    class ExcusingFilter implements ExceptionFilter {
      constructor(private readonly excuses: Excuses) {}

      catch(): string {
        return this.excuses.usual;
      }
    }

    @Controller()
    class FailingController {
      @Command('FAIL')
      fail(): LineReply {
        throw new Mishap('hidden');
      }
    }

    const server = await prepareLineApplication(
      [FailingController],
      [Excuses, { provide: APP_FILTER, useClass: ExcusingFilter }],
    );
    expect(await server.inject('FAIL')).toBe('sorry');
  });

  it.each<[string, () => unknown, string]>([
    ['answers', (exception?: unknown) => `caught ${String(exception)}`, 'caught text'],
    ['answers nothing', () => undefined, 'SERVER ERROR.'],
    ['answers nothing, later', () => Promise.resolve(), 'SERVER ERROR.'],
    ['is for others', () => 'never', 'SERVER ERROR.'],
  ])(
    'that %s is given what is no Error as it was thrown, and nobody else is',
    async (how, outcome, told) => {
      @Catch(...(how === 'is for others' ? [Mishap] : []))
      class OddFilter implements ExceptionFilter {
        catch(exception: unknown): unknown {
          return Reflect.apply(outcome, undefined, [exception]);
        }
      }

      @UseFilters(OddFilter)
      @Controller()
      class OddController {
        @Command('TEXT')
        text(): LineReply {
          throw 'text'; // oxlint-disable-line typescript/only-throw-error, no-throw-literal
        }
      }

      const server = await prepareLineApplication([OddController]);
      expect(await server.inject('TEXT')).toBe(told);
    },
  );
});
