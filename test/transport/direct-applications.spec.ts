/** What is attached to one application is called for its lines and for no other's; and servers that Nest did not make alone. */
import { Controller, Module, type Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { MessageHandler, MicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Command,
  LineServer,
  type LineReply,
  LineTransportModule,
  type ServedCommand,
} from '../../src/line-transport/index.js';
import {
  COUNTED,
  COUNTED_GUARD,
  type CountedKind,
  NOT_BUILT_ONCE,
  takeCalls,
} from '../support/counted.js';
import { prepareLineApplication, talk } from '../support/talk.js';

const AUTO = { dispatch: 'auto' } as const;

@Controller()
class FailController {
  @Command('FAIL', { args: 'rest' })
  fail(word: string): LineReply {
    throw new Error(word);
  }
}

const DIRECT = 'direct: FailController.fail has nothing attached.';
const globally = ({ what }: CountedKind): string =>
  `pipeline: FailController.fail is in an application with a global ${what.replace(/^an? /, '')}.`;

const wayOf = ({ dispatch, reason }: ServedCommand): string => `${dispatch}: ${reason}`;

/** Two lines fail, and an enhancer is called so often for each. */
async function expectAsked(server: LineServer, times: number): Promise<void> {
  takeCalls();
  expect(await talk(server, 'FAIL a', 'FAIL b')).toHaveLength(2);
  expect(takeCalls()).toBe(2 * times);
}

describe.each(COUNTED)('In a hybrid application $what', (kind) => {
  async function createHybrid(providers: Provider[] = []) {
    const module = await Test.createTestingModule({
      imports: [LineTransportModule.forRoot(AUTO)],
      controllers: [FailController],
      providers,
    }).compile();
    const app = module.createNestApplication({ logger: false });
    onTestFinished(() => app.close());
    return { app, server: app.get(LineServer) };
  }

  it.each([
    ['used globally', true, 1],
    ['used globally', false, 0],
    ['provided', true, 1],
    ['provided', false, 0],
  ] as const)('%s is called for lines if they inherit it (%j)', async (how, inherit, times) => {
    const provided = { provide: kind.token, useClass: kind.type };
    const { app, server } = await createHybrid(how === 'provided' ? [provided] : []);
    if (how !== 'provided') kind.useGlobally(app);
    app.connectMicroservice({ strategy: server }, { inheritAppConfig: inherit });
    await app.init();
    expect(server.commands.map(wayOf)).toEqual([inherit ? globally(kind) : DIRECT]);
    await expectAsked(server, times);
  });

  it.each([true, false])('of the lines alone is called for them (%j)', async (inherit) => {
    const { app, server } = await createHybrid();
    const deferred = { inheritAppConfig: inherit, deferInitialization: true };
    const lines = app.connectMicroservice<MicroserviceOptions>({ strategy: server }, deferred);
    kind.useGlobally(lines);
    await app.init();
    await lines.init();
    expect(server.commands.map(wayOf)).toEqual([globally(kind)]);
    await expectAsked(server, 1);
  });
});

describe('Of several applications', () => {
  const create = (
    prepare?: Parameters<typeof prepareLineApplication>[2],
    providers: Provider[] = [],
  ): Promise<LineServer> => prepareLineApplication([FailController], providers, prepare, AUTO);
  const provided = { provide: COUNTED_GUARD.token, useClass: COUNTED_GUARD.type };

  it('each has its own guard or none, in whatever order they start', async () => {
    const servers = [
      [await create(), 0],
      [await create(COUNTED_GUARD.useGlobally), 1],
      [await create(), 0],
      [await create(undefined, [provided]), 1],
      [await create(), 0],
    ] as const;
    for (const [server, times] of servers) {
      expect(server.commands.map(wayOf)).toEqual([times === 0 ? DIRECT : globally(COUNTED_GUARD)]);
    }
    for (const [server, times] of [...servers, ...servers]) await expectAsked(server, times);
  });

  it('each has its own guard or none, also when they start at once', async () => {
    const guarded = [true, false, true, false, false, true];
    const servers = await Promise.all(
      guarded.map((isGuarded) => create(isGuarded ? COUNTED_GUARD.useGlobally : undefined)),
    );
    for (const [place, server] of servers.entries()) {
      await expectAsked(server, guarded[place] === true ? 1 : 0);
    }
  });

  it('and of several line servers of one, each has what is attached to its own lines', async () => {
    const [ONE, OTHER] = [Symbol('one'), Symbol('other')];
    @Module({
      imports: [LineTransportModule.forRoot(AUTO)],
      providers: [{ provide: ONE, useExisting: LineServer }],
    })
    class OneModule {}
    @Module({
      imports: [LineTransportModule.forRoot({ ...AUTO, ignoreCase: true })],
      providers: [{ provide: OTHER, useExisting: LineServer }],
    })
    class OtherModule {}
    @Module({ imports: [OneModule, OtherModule], controllers: [FailController] })
    class RootModule {}

    const app = await NestFactory.create(RootModule, { logger: false });
    onTestFinished(() => app.close());
    const [one, other] = [app.get<LineServer>(ONE), app.get<LineServer>(OTHER)];
    expect(one).not.toBe(other);
    const deferred = { deferInitialization: true };
    const guarded = app.connectMicroservice<MicroserviceOptions>({ strategy: one }, deferred);
    COUNTED_GUARD.useGlobally(guarded);
    app.connectMicroservice<MicroserviceOptions>({ strategy: other });
    await app.init();
    await guarded.init();
    expect(one.commands.map(wayOf)).toEqual([globally(COUNTED_GUARD)]);
    expect(other.commands.map(wayOf)).toEqual([DIRECT]);
    await expectAsked(one, 1);
    await expectAsked(other, 0);
  });
});

/** An application that listens with a server that was made by hand. */
async function startWith(server: LineServer): Promise<LineServer> {
  @Module({ controllers: [FailController] })
  class RootModule {}

  const app = await NestFactory.createMicroservice<MicroserviceOptions>(RootModule, {
    strategy: server,
    logger: false,
  });
  onTestFinished(() => app.close());
  COUNTED_GUARD.useGlobally(app);
  await app.init();
  return server;
}

describe('Through the pipeline go', () => {
  it('the lines of a server that was made without the module', async () => {
    const server = await startWith(new LineServer(AUTO));
    expect(server.commands.map(wayOf)).toEqual([
      'pipeline: FailController.fail is on a server made without LineTransportModule.',
    ]);
    await expectAsked(server, 1);
  });

  it('those of a server that is out of another application', async () => {
    let made = 0;

    @Controller()
    class NumberedController {
      readonly #number = ++made;

      @Command('NUMBER')
      number(): LineReply {
        return this.#number;
      }
    }

    @Module({ imports: [LineTransportModule.forRoot(AUTO)], controllers: [NumberedController] })
    class NumberedModule {}

    const other = await NestFactory.createApplicationContext(NumberedModule, { logger: false });
    onTestFinished(() => other.close());
    const server = other.get(LineServer);
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(NumberedModule, {
      strategy: server,
      logger: false,
    });
    onTestFinished(() => app.close());
    await app.init();
    expect(server.commands.map(wayOf)).toEqual([
      'pipeline: NumberedController.number is in a controller of another application.',
    ]);
    expect(await talk(server, 'NUMBER')).toEqual(['2']);
  });

  it('those of handlers that were added by hand', async () => {
    const server = await prepareLineApplication([FailController], [], undefined, AUTO);
    server.addHandler('HAND', (word: unknown) => Promise.resolve(`by hand ${String(word)}`));
    expect(server.commands.map(wayOf)).toEqual([DIRECT, `pipeline: Its method ${NOT_BUILT_ONCE}.`]);
    expect(await talk(server, 'HAND', 'FAIL a')).toEqual(['by hand ', 'SERVER ERROR.']);
  });

  it.each(['extends the class', 'replaces the method', 'stands before it as a Proxy'])(
    'those of a server that wraps its handlers: one that %s',
    async (how) => {
      const asked: unknown[] = [];
      const wrap =
        (handler: MessageHandler): MessageHandler =>
        (...given) => {
          asked.push(given[0]);
          return handler(...given);
        };

      class WrappingServer extends LineServer {
        override addHandler(...args: Parameters<LineServer['addHandler']>): void {
          const [pattern, handler, ...rest] = args;
          super.addHandler(pattern, wrap(handler), ...rest);
        }
      }

      const module = await Test.createTestingModule({
        imports: [LineTransportModule.forRoot(AUTO)],
        controllers: [FailController],
      })
        .overrideProvider(LineServer)
        .useClass(how === 'extends the class' ? WrappingServer : LineServer)
        .compile();
      const server = module.get(LineServer);
      if (how === 'replaces the method') {
        const addHandler = server.addHandler.bind(server);
        server.addHandler = (pattern, handler, ...rest) =>
          addHandler(pattern, wrap(handler), ...rest);
      }
      const wrapping = new Proxy(server, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key);
          if (typeof value !== 'function') return value;
          if (key !== 'addHandler') return value.bind(target) as unknown;
          return (...[pattern, handler, ...rest]: Parameters<LineServer['addHandler']>) =>
            target.addHandler(pattern, wrap(handler), ...rest);
        },
      });
      const app = module.createNestMicroservice<MicroserviceOptions>({
        strategy: how === 'stands before it as a Proxy' ? wrapping : server,
        logger: false,
      });
      onTestFinished(() => app.close());
      await app.init();
      await talk(server, 'FAIL a', 'FAIL b');
      expect(asked).toEqual(['a', 'b']);
      expect(server.commands.map(wayOf)).toEqual([
        `pipeline: FailController.fail ${NOT_BUILT_ONCE}.`,
      ]);
    },
  );
});
