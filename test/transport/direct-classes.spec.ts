/** Classes that are inherited, mixed in, wrapped or in several modules: what guards them is asked about every line. */
import {
  Controller,
  Module,
  type NestApplicationOptions,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Command,
  LineServer,
  type LineReply,
  LineTransportModule,
} from '../../src/line-transport/index.js';
import { COUNTED_GUARD, takeCalls } from '../support/counted.js';
import { prepareLineApplication, talk } from '../support/talk.js';

const Guarded = COUNTED_GUARD.use;
const AUTO = { dispatch: 'auto' } as const;

function start(...controllers: Type[]): Promise<LineServer> {
  return prepareLineApplication(controllers, [], undefined, AUTO);
}

function wayOf({ commands }: LineServer): string {
  const [command, ...others] = commands;
  expect(others).toEqual([]);
  return `${command?.dispatch}: ${command?.reason}`;
}

/** Two lines are answered, and a guard is asked so often about each. */
async function expectAsked(server: LineServer, times: number, told = 'line'): Promise<void> {
  takeCalls();
  expect(await talk(server, 'LINE', 'LINE')).toEqual([told, told]);
  expect(takeCalls()).toBe(2 * times);
}

class Base {
  protected readonly said: string = 'line';

  @Command('LINE')
  line(): LineReply {
    return this.said;
  }
}

class GuardedBase {
  @Guarded
  @Command('LINE')
  line(): LineReply {
    return 'line';
  }
}

describe('A method that a class inherits', () => {
  it('is called directly, with the `this` of that class', async () => {
    @Controller()
    class HeirController extends Base {
      protected override readonly said = 'of the heir';
    }

    const server = await start(HeirController);
    expect(wayOf(server)).toBe('direct: Base.line has nothing attached.');
    await expectAsked(server, 0, 'of the heir');
  });

  it('keeps the guard it was declared with', async () => {
    @Controller()
    class HeirController extends GuardedBase {}

    const server = await start(HeirController);
    expect(wayOf(server)).toBe('pipeline: GuardedBase.line has a guard.');
    await expectAsked(server, 1);
  });

  it('has the guard of the class that inherits it', async () => {
    @Guarded
    @Controller()
    class HeirController extends Base {}

    const server = await start(HeirController);
    expect(wayOf(server)).toBe('pipeline: Base.line is in a class with a guard.');
    await expectAsked(server, 1);
  });

  it('is no command any more where it is overridden without a decorator', async () => {
    @Controller()
    class HeirController extends Base {
      override line(): LineReply {
        return 'overridden';
      }

      @Command('OTHER')
      other(): LineReply {
        return 'other';
      }
    }

    const server = await start(HeirController);
    expect(wayOf(server)).toBe('direct: HeirController.other has nothing attached.');
    expect(await server.inject('LINE')).toMatch(/^UNKNOWN COMMAND/);
  });

  it('has the guard that it is given where it is overridden and declared again, and no other', async () => {
    @Controller()
    class GuardingController extends Base {
      @Guarded
      @Command('LINE')
      override line(): LineReply {
        return 'again';
      }
    }

    @Controller()
    class FreeingController extends GuardedBase {
      @Command('LINE')
      override line(): LineReply {
        return 'again';
      }
    }

    const guarding = await start(GuardingController);
    expect(wayOf(guarding)).toBe('pipeline: GuardingController.line has a guard.');
    await expectAsked(guarding, 1, 'again');
    const freeing = await start(FreeingController);
    expect(wayOf(freeing)).toBe('direct: FreeingController.line has nothing attached.');
    await expectAsked(freeing, 0, 'again');
  });

  it('goes through the pipeline where each instance has it bound', async () => {
    @Controller()
    class BoundController extends Base {
      constructor() {
        super();
        this.line = this.line.bind(this);
      }
    }

    const server = await start(BoundController);
    expect(wayOf(server)).toBe('pipeline: Base.line is not as its class declares it.');
    await expectAsked(server, 0);
  });
});

describe('A method that is mixed in', () => {
  function speaking(said: string, guard: ClassDecorator = () => undefined): Type {
    @guard
    class Speaking {
      @Command('LINE')
      line(): LineReply {
        return said;
      }
    }
    return Speaking;
  }

  it('is called directly', async () => {
    @Controller()
    class MixedController extends speaking('mixed') {}

    const server = await start(MixedController);
    expect(wayOf(server)).toBe('direct: Speaking.line has nothing attached.');
    await expectAsked(server, 0, 'mixed');
  });

  it('has the guard of its own mixin, and not that of another application of it', async () => {
    @Controller()
    class GuardedController extends speaking('guarded', Guarded) {}

    @Controller()
    class FreeController extends speaking('free') {}

    const guarded = await start(GuardedController);
    expect(wayOf(guarded)).toBe('pipeline: Speaking.line is in a class with a guard.');
    await expectAsked(guarded, 1, 'guarded');
    const free = await start(FreeController);
    await expectAsked(free, 0, 'free');
  });
});

describe('A class decorator', () => {
  type Constructor = new (...args: never[]) => object;

  const extending = <T extends Constructor>(target: T): T =>
    ({ [target.name]: class extends (target as Constructor) {} })[target.name] as T;
  const proxying = <T extends Constructor>(target: T): T => new Proxy(target, {});
  const proxyingInstances = <T extends Constructor>(target: T): T =>
    new Proxy(target, {
      construct: (type, args, newTarget) =>
        new Proxy(Reflect.construct(type, args, newTarget) as object, {}),
    });

  const WRAPPERS: Readonly<Record<string, <T extends Constructor>(target: T) => T>> = {
    'a class that extends it': extending,
    'a Proxy': proxying,
    'a Proxy that makes Proxies': proxyingInstances,
  };
  const GUARDS = { class: Guarded, instance: UseGuards(new COUNTED_GUARD.type()) };

  const TABLE = Object.entries(WRAPPERS).flatMap(([wrapped, wrap]) =>
    Object.entries(GUARDS).flatMap(([given, guard]) => [
      { wrapped, given, where: 'below', decorators: [wrap, guard] },
      { wrapped, given, where: 'above', decorators: [guard, wrap] },
    ]),
  );

  // Nest asks what was registered for its guards: the Proxy, and not the class below it.
  it.each(TABLE)(
    'that makes $wrapped has a guard $where it, given as $given, asked as often as Nest would',
    async ({ wrapped, decorators }) => {
      const [outer, inner] = decorators as [ClassDecorator, ClassDecorator];
      @outer
      @inner
      @Controller()
      class WrappedController extends Base {}

      const asked: number[] = [];
      for (const dispatch of ['auto', 'pipeline'] as const) {
        const controllers = [WrappedController];
        const server = await prepareLineApplication(controllers, [], undefined, { dispatch });
        expect(wayOf(server)).toMatch(/^pipeline: /);
        takeCalls();
        expect(await talk(server, 'LINE', 'LINE')).toEqual(['line', 'line']);
        asked.push(takeCalls());
      }
      expect(asked[0]).toBe(asked[1]);
      expect(asked[0] === 2 || wrapped.startsWith('a Proxy')).toBe(true);
    },
  );
});

describe('A controller', () => {
  it('that a method was copied into has its own guard, although the method is free where it is from', async () => {
    @Controller()
    class FreeController extends Base {}

    @Guarded
    @Controller()
    class GuardedController {
      readonly said = 'copied';
    }
    const copied = Object.getOwnPropertyDescriptor(Base.prototype, 'line');
    Object.defineProperty(GuardedController.prototype, 'line', { ...copied });

    const server = await start(FreeController, GuardedController);
    expect(wayOf(server)).toBe('pipeline: Base.line is in a class with a guard.');
    await expectAsked(server, 1, 'copied');
  });

  it('in two modules goes through the pipeline, with its guard', async () => {
    @Guarded
    @Controller()
    class SharedController extends Base {}

    @Module({ controllers: [SharedController] })
    class OtherModule {}

    const server = await startModule({ controllers: [SharedController], imports: [OtherModule] });
    expect(wayOf(server)).toBe('pipeline: Base.line is in a class with a guard.');
    await expectAsked(server, 1);
  });

  it('whose instance is decorated is called by way of what decorates it', async () => {
    const called: string[] = [];
    const instanceDecorator = (instance: unknown): unknown => {
      if (!(instance instanceof PlainController)) return instance;
      return new Proxy(instance, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key);
          if (key !== 'line' || typeof value !== 'function') return value;
          const traced = (...args: unknown[]): unknown => {
            called.push('line');
            return value.apply(target, args);
          };
          for (const each of Reflect.getMetadataKeys(value)) {
            Reflect.defineMetadata(each, Reflect.getMetadata(each, value), traced);
          }
          return traced;
        },
      });
    };

    @Controller()
    class PlainController extends Base {}

    const server = await startModule(
      { controllers: [PlainController] },
      { instrument: { instanceDecorator } },
    );
    expect(wayOf(server)).toBe('pipeline: Base.line is not as its class declares it.');
    await expectAsked(server, 0);
    expect(called).toEqual(['line', 'line']);
  });
});

/** An application as Nest's own factory makes it. */
async function startModule(
  metadata: { controllers: Type[]; imports?: Type[] },
  options: NestApplicationOptions = {},
): Promise<LineServer> {
  @Module({
    ...metadata,
    imports: [LineTransportModule.forRoot(AUTO), ...(metadata.imports ?? [])],
  })
  class RootModule {}

  const app = await NestFactory.create(RootModule, { ...options, logger: false });
  onTestFinished(() => app.close());
  const server = app.get(LineServer);
  app.connectMicroservice<MicroserviceOptions>({ strategy: server });
  await app.init();
  return server;
}
