/** Guards, pipes, interceptors and exception filters: wherever Nest lets one declare them, they apply to lines. */
import {
  applyDecorators,
  type CallHandler,
  type CanActivate,
  Catch,
  Controller,
  type ExceptionFilter,
  type ExecutionContext,
  type INestMicroservice,
  Injectable,
  type NestInterceptor,
  type PipeTransform,
  type Provider,
  type Type,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { map, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Args, Command, type LineReply } from '../../src/line-transport/index.js';
import { prepareLineApplication, talk } from '../support/talk.js';

/** What the enhancers are injected. */
@Injectable()
class Words {
  readonly forbidden = 'secret';
  readonly excuse = 'sorry';

  translate(word: unknown): unknown {
    return word === 'hello' ? 'hallo' : word;
  }

  quote(reply: unknown): string {
    return `<${String(reply)}>`;
  }
}

@Injectable()
class WordGuard implements CanActivate {
  constructor(private readonly words: Words) {}

  canActivate(context: ExecutionContext): boolean {
    return context.switchToRpc().getData<string>() !== this.words.forbidden;
  }
}

@Injectable()
class WordPipe implements PipeTransform {
  constructor(private readonly words: Words) {}

  transform(word: unknown): unknown {
    return this.words.translate(word);
  }
}

@Injectable()
class WordInterceptor implements NestInterceptor {
  constructor(private readonly words: Words) {}

  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((reply) => this.words.quote(reply)));
  }
}

@Catch()
@Injectable()
class WordFilter implements ExceptionFilter {
  constructor(private readonly words: Words) {}

  catch(): string {
    return this.words.excuse;
  }
}

type Where = ClassDecorator & MethodDecorator;

interface Kind {
  readonly byClass: Where;
  readonly byInstance: Where;
  readonly provider: Provider;
  readonly useGlobally: (app: INestMicroservice) => unknown;
  /** What is told to who says hello, secret and fail. */
  readonly told: readonly string[];
}

const words = new Words();

const KINDS: Readonly<Record<string, Kind>> = {
  guard: {
    byClass: UseGuards(WordGuard),
    byInstance: UseGuards(new WordGuard(words)),
    provider: { provide: APP_GUARD, useClass: WordGuard },
    useGlobally: (app) => app.useGlobalGuards(new WordGuard(words)),
    told: ['hello', 'ERROR: Forbidden resource', 'SERVER ERROR.'],
  },
  pipe: {
    byClass: UsePipes(WordPipe),
    byInstance: UsePipes(new WordPipe(words)),
    provider: { provide: APP_PIPE, useClass: WordPipe },
    useGlobally: (app) => app.useGlobalPipes(new WordPipe(words)),
    told: ['hallo', 'secret', 'SERVER ERROR.'],
  },
  interceptor: {
    byClass: UseInterceptors(WordInterceptor),
    byInstance: UseInterceptors(new WordInterceptor(words)),
    provider: { provide: APP_INTERCEPTOR, useClass: WordInterceptor },
    useGlobally: (app) => app.useGlobalInterceptors(new WordInterceptor(words)),
    told: ['<hello>', '<secret>', 'SERVER ERROR.'],
  },
  filter: {
    byClass: UseFilters(WordFilter),
    byInstance: UseFilters(new WordFilter(words)),
    provider: { provide: APP_FILTER, useClass: WordFilter },
    useGlobally: (app) => app.useGlobalFilters(new WordFilter(words)),
    told: ['hello', 'secret', 'sorry'],
  },
};

const UNTOUCHED = ['hello', 'secret', 'SERVER ERROR.'];

/** A method, another one in its controller, and one in another controller. */
function controllersWith(onMethod: Where[], onController: Where[]): Type[] {
  const say = (word: string): LineReply => {
    if (word === 'fail') throw new Error('hidden');
    return word;
  };

  @applyDecorators(...onController)
  @Controller()
  class SayController {
    @applyDecorators(...onMethod)
    @Command('SAY', { args: 'rest' })
    say(@Args() word: string): LineReply {
      return say(word);
    }

    @Command('NEAR', { args: 'rest' })
    near(@Args() word: string): LineReply {
      return say(word);
    }
  }

  @Controller()
  class FarController {
    @Command('FAR', { args: 'rest' })
    far(@Args() word: string): LineReply {
      return say(word);
    }
  }

  return [SayController, FarController];
}

async function toldBy(
  controllers: Type[],
  providers: Provider[] = [],
  prepare?: (app: INestMicroservice) => void,
): Promise<string[][]> {
  const server = await prepareLineApplication(controllers, [Words, ...providers], prepare);
  const told: string[][] = [];
  for (const command of ['SAY', 'NEAR', 'FAR']) {
    told.push(await talk(server, `${command} hello`, `${command} secret`, `${command} fail`));
  }
  return told;
}

describe.each(Object.entries(KINDS))('A %s', (_, kind) => {
  const { told } = kind;

  it.each([
    ['class', kind.byClass],
    ['instance', kind.byInstance],
  ])('on a method, given as %s, applies to the lines of that method alone', async (_way, where) => {
    const controllers = controllersWith([where], []);
    expect(await toldBy(controllers)).toEqual([told, UNTOUCHED, UNTOUCHED]);
  });

  it.each([
    ['class', kind.byClass],
    ['instance', kind.byInstance],
  ])('on a controller, given as %s, applies to each of its methods', async (_way, where) => {
    const controllers = controllersWith([], [where]);
    expect(await toldBy(controllers)).toEqual([told, told, UNTOUCHED]);
  });

  it('provided for the application, with what it needs, applies to every line', async () => {
    expect(await toldBy(controllersWith([], []), [kind.provider])).toEqual([told, told, told]);
  });

  it('used globally applies to every line', async () => {
    expect(await toldBy(controllersWith([], []), [], kind.useGlobally)).toEqual([told, told, told]);
  });
});

describe('Enhancers', () => {
  /** One of each kind that notes when it is called. */
  function tracing(level: string, trace: string[]) {
    return {
      guard: {
        canActivate: () => {
          trace.push(`${level} guard`);
          return true;
        },
      } satisfies CanActivate,
      interceptor: {
        intercept: (_: ExecutionContext, next: CallHandler<unknown>) => {
          trace.push(`${level} interceptor`);
          return next.handle().pipe(
            map((reply) => {
              trace.push(`${level} interceptor again`);
              return reply;
            }),
          );
        },
      } satisfies NestInterceptor,
      pipe: {
        transform: (value: unknown) => {
          trace.push(`${level} pipe`);
          return value;
        },
      } satisfies PipeTransform,
    };
  }

  it('are called from the application over the controller to the method, interceptors on the way back too', async () => {
    const trace: string[] = [];
    const [provided, used, outer, inner, argument] = [
      'provided',
      'used',
      'controller',
      'method',
      'argument',
    ].map((level) => tracing(level, trace)) as [Traced, Traced, Traced, Traced, Traced];

    @UseGuards(outer.guard)
    @UseInterceptors(outer.interceptor)
    @UsePipes(outer.pipe)
    @Controller()
    class TracedController {
      @UseGuards(inner.guard)
      @UseInterceptors(inner.interceptor)
      @UsePipes(inner.pipe)
      @Command('SAY', { args: 'rest' })
      say(@Args(argument.pipe) word: string): LineReply {
        trace.push('the method');
        return word;
      }
    }

    const server = await prepareLineApplication(
      [TracedController],
      [
        { provide: APP_GUARD, useValue: provided.guard },
        { provide: APP_INTERCEPTOR, useValue: provided.interceptor },
        { provide: APP_PIPE, useValue: provided.pipe },
      ],
      (app) => {
        app.useGlobalGuards(used.guard);
        app.useGlobalInterceptors(used.interceptor);
        app.useGlobalPipes(used.pipe);
      },
    );
    expect(await server.inject('SAY hello')).toBe('hello');
    expect(trace).toEqual([
      'provided guard',
      'used guard',
      'controller guard',
      'method guard',
      'provided interceptor',
      'used interceptor',
      'controller interceptor',
      'method interceptor',
      'provided pipe',
      'used pipe',
      'controller pipe',
      'method pipe',
      'argument pipe',
      'the method',
      'method interceptor again',
      'controller interceptor again',
      'used interceptor again',
      'provided interceptor again',
    ]);
  });

  type Traced = ReturnType<typeof tracing>;

  it('behind one that refuses are not called, nor is the method', async () => {
    const trace: string[] = [];
    const traced = tracing('method', trace);

    @UseGuards({ canActivate: () => false })
    @Controller()
    class RefusedController {
      @UseGuards(traced.guard)
      @UseInterceptors(traced.interceptor)
      @UsePipes(traced.pipe)
      @Command('SAY', { args: 'rest' })
      say(@Args() word: string): LineReply {
        trace.push('the method');
        return word;
      }
    }

    const server = await prepareLineApplication([RefusedController]);
    expect(await server.inject('SAY hello')).toBe('ERROR: Forbidden resource');
    expect(trace).toEqual([]);
  });

  it('are not asked about a line that no method answers', async () => {
    const trace: string[] = [];
    const traced = tracing('global', trace);
    const server = await prepareLineApplication(controllersWith([], []), [], (app) => {
      app.useGlobalGuards(traced.guard);
      app.useGlobalInterceptors(traced.interceptor);
      app.useGlobalPipes(traced.pipe);
    });
    expect(await server.inject('PLAY hello')).toBe('UNKNOWN COMMAND. Use SAY, NEAR or FAR.');
    expect(trace).toEqual([]);
    expect(await server.inject('SAY hello')).toBe('hello');
    expect(trace).not.toEqual([]);
  });
});
