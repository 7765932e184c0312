/** Whatever is attached to a method, at any level, is called for every line: such a method is never called directly. */
import {
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Injectable,
  type INestMicroservice,
  type PipeTransform,
  type Provider,
  Scope,
  type Type,
} from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { describe, expect, it } from 'vitest';
import {
  Arg,
  Args,
  Command,
  type LineContext,
  type LineReply,
  LineServer,
  RawLine,
} from '../../src/line-transport/index.js';
import { COUNTED, type CountedKind, NOT_BUILT_ONCE, takeCalls } from '../support/counted.js';
import { prepareLineApplication, talk } from '../support/talk.js';

const AUTO = { dispatch: 'auto' } as const;
const LINES = ['FAIL a', 'FAIL b', 'FAIL c'];

interface Attached {
  readonly controllers: Type[];
  readonly providers?: Provider[];
  readonly prepare?: (app: INestMicroservice) => void;
}

const nothing = (): void => undefined;

/** Which of the three has the decorator. */
function failing(
  onMethod: MethodDecorator | undefined,
  onClass: ClassDecorator = nothing,
  onBase: ClassDecorator = nothing,
): Type[] {
  @onBase
  class Base {
    @(onMethod ?? nothing)
    @Command('FAIL', { args: 'rest' })
    fail(@Args() word: string): LineReply {
      throw new Error(word);
    }
  }

  @onClass
  @Controller()
  class FailController extends Base {}

  return [FailController];
}

/** An enhancer that is made for each line. */
function perRequest({ type, token }: CountedKind): Provider {
  return { provide: token, useClass: type, scope: Scope.REQUEST };
}

const PLACES: readonly [where: string, attach: (kind: CountedKind) => Attached, reason: string][] =
  [
    ['a method', ({ use }) => ({ controllers: failing(use) }), 'has WHAT'],
    ['a class', ({ use }) => ({ controllers: failing(undefined, use) }), 'is in a class with WHAT'],
    [
      'a class that its own extends',
      ({ use }) => ({ controllers: failing(undefined, undefined, use) }),
      'is in a class with WHAT',
    ],
    [
      'everything, used globally',
      ({ useGlobally }) => ({ controllers: failing(undefined), prepare: useGlobally }),
      'is in an application with a global WHAT',
    ],
    [
      'everything, provided for the application',
      ({ type, token }) => ({
        controllers: failing(undefined),
        providers: [{ provide: token, useClass: type }],
      }),
      'is in an application with a global WHAT',
    ],
    [
      'everything, provided for the application and made for each line',
      (kind) => ({ controllers: failing(undefined), providers: [perRequest(kind)] }),
      NOT_BUILT_ONCE.replaceAll(/[()]/g, '.'),
    ],
  ];

const TABLE = PLACES.flatMap(([where, attach, reason]) =>
  COUNTED.map((kind) => {
    const what = reason.includes('global') ? kind.what.replace(/^an? /, '') : kind.what;
    return {
      where,
      what: kind.what,
      attach: () => attach(kind),
      reason: reason.replace('WHAT', what),
    };
  }),
);

describe('Attached to', () => {
  it.each(TABLE)('$where, $what is called for every line', async ({ attach, reason }) => {
    const { controllers, providers, prepare } = attach();
    const server = await prepareLineApplication(controllers, providers, prepare, AUTO);
    expect(server.commands).toEqual([
      {
        name: 'FAIL',
        dispatch: 'pipeline',
        reason: expect.stringMatching(`Base\\.fail ${reason}\\.$`),
      },
    ]);
    takeCalls();
    expect(await talk(server, ...LINES)).toHaveLength(LINES.length);
    expect(takeCalls()).toBe(LINES.length);
  });

  it('everything, a pre-request hook is called for every line', async () => {
    let calls = 0;
    const server = await prepareLineApplication(
      failing(undefined),
      [],
      (app) =>
        app.registerPreRequestHook((_, next) => {
          calls++;
          return next();
        }),
      AUTO,
    );
    expect(reasonsOf(server)).toEqual([
      'Base.fail is in an application with a global pre-request hook.',
    ]);
    await talk(server, ...LINES);
    expect(calls).toBe(LINES.length);
  });
});

describe('A processing hook', () => {
  it.each(['before', 'after'])('set %s the start is called for every line', async (when) => {
    const seen: string[] = [];
    const observe = (observed: LineServer): void => {
      observed.setOnProcessingStartHook((_, context, done) => {
        seen.push(`start ${(context as LineContext).line}`);
        done().catch(() => undefined); // it is told to the client
      });
      observed.setOnProcessingEndHook((_, context) => {
        seen.push(`end ${(context as LineContext).line}`);
      });
    };
    const server = await prepareLineApplication(
      failing(undefined),
      [],
      (app) => when === 'before' && observe(app.get(LineServer)),
      AUTO,
    );
    if (when === 'after') {
      await talk(server, 'FAIL unseen');
      observe(server);
    }
    expect(server.commands).toEqual([
      { name: 'FAIL', dispatch: 'pipeline', reason: 'Processing hooks are to see every line.' },
    ]);
    await talk(server, 'FAIL a', 'FAIL b');
    expect(seen).toEqual(['start FAIL a', 'end FAIL a', 'start FAIL b', 'end FAIL b']);
  });
});

function reasonsOf({ commands }: LineServer): string[] {
  return commands.map(({ dispatch, reason }) => (dispatch === 'pipeline' ? reason : dispatch));
}

describe('A method is called through the pipeline', () => {
  @Injectable({ scope: Scope.REQUEST })
  class PerLine {
    static made = 0;
    constructor() {
      PerLine.made++;
    }
  }

  it.each<[string, object, string]>([
    ['request', { scope: Scope.REQUEST }, NOT_BUILT_ONCE],
    ['transient', { scope: Scope.TRANSIENT }, 'is in request or transient scope'],
    ['durable request', { scope: Scope.REQUEST, durable: true }, NOT_BUILT_ONCE],
  ])('if its controller is in %s scope', async (_, scope, reason) => {
    @Controller({ ...scope })
    class ScopedController {
      @Command('LINE')
      line(): LineReply {
        return 'line';
      }
    }

    const server = await prepareLineApplication([ScopedController], [], undefined, AUTO);
    expect(reasonsOf(server)).toEqual([`ScopedController.line ${reason}.`]);
    expect(await server.inject('LINE')).toBe('line');
  });

  it('if its controller needs what is made for each line', async () => {
    @Injectable()
    class Between {
      constructor(readonly perLine: PerLine) {}
    }

    @Controller()
    class NeedyController {
      constructor(private readonly between: Between) {}

      @Command('LINE')
      line(): LineReply {
        return this.between.perLine instanceof PerLine;
      }
    }

    const providers = [Between, PerLine];
    const server = await prepareLineApplication([NeedyController], providers, undefined, AUTO);
    expect(reasonsOf(server)).toEqual([`NeedyController.line ${NOT_BUILT_ONCE}.`]);
    PerLine.made = 0;
    expect(await talk(server, 'LINE', 'LINE')).toEqual(['true', 'true']);
    expect(PerLine.made).toBe(2);
  });

  it('if a parameter has a pipe, a schema, or a decorator of the application', async () => {
    let piped = 0;
    const pipe: PipeTransform = { transform: (value: unknown) => `<${String(value)} ${++piped}>` };
    const Line = createParamDecorator(
      (_, host: ExecutionContext) => host.switchToRpc().getContext<LineContext>().line,
    );
    const schema = {
      '~standard': { version: 1, vendor: 'test', validate: (value: unknown) => ({ value }) },
    } as const;

    @Controller()
    class PipedController {
      @Command('PAYLOAD', { args: 'rest' })
      payload(@Payload(pipe) text: string): LineReply {
        return text;
      }

      @Command('ARGS', { args: 'words' })
      args(@Args(pipe) words: string[]): LineReply {
        return words;
      }

      @Command('ARG', { args: ['a', 'b'] })
      arg(@Arg('a') a: string, @Arg('b', pipe) b: string): LineReply {
        return [a, b];
      }

      @Command('RAW')
      raw(@RawLine(pipe) line: string): LineReply {
        return line;
      }

      @Command('SCHEMA', { args: 'rest' })
      schema(@Args({ schema }) text: string): LineReply {
        return text;
      }

      @Command('OWN')
      own(@Line() line: string, @Ctx() context: LineContext): LineReply {
        return line === context.line;
      }
    }

    const server = await prepareLineApplication([PipedController], [], undefined, AUTO);
    for (const reason of reasonsOf(server)) {
      expect(reason).toMatch(
        /^PipedController\.\w+ has a parameter with a pipe, a schema or a decorator that is none of the transport\.$/,
      );
    }
    const lines = ['PAYLOAD a', 'ARGS a', 'ARG a b', 'RAW', 'SCHEMA a', 'OWN', 'RAW'];
    expect(await talk(server, ...lines)).toEqual([
      '<a 1>',
      '<a 2>',
      'a',
      '<b 3>',
      '<RAW 4>',
      'a',
      'true',
      '<RAW 5>',
    ]);
  });

  it('if it is an event', async () => {
    const heard: string[] = [];

    @Controller()
    class NestController {
      @MessagePattern('MESSAGE')
      message(): LineReply {
        return 'message';
      }

      @EventPattern('EVENT', { args: 'rest' })
      event(@Payload() text: string): void {
        heard.push(text);
      }
    }

    const server = await prepareLineApplication([NestController], [], undefined, AUTO);
    expect(server.commands).toEqual([
      { name: 'MESSAGE', dispatch: 'direct', reason: 'Its method has nothing attached.' },
      { name: 'EVENT', dispatch: 'pipeline', reason: 'Its method is an event.' },
    ]);
    expect(await talk(server, 'MESSAGE', 'EVENT it', 'MESSAGE')).toEqual(['message', 'message']);
    expect(heard).toEqual(['it']);
  });
});
