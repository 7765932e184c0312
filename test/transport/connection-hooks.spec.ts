/** The hooks of a connection: who is greeted, who is refused, and who is told that a client has gone. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  Controller,
  ForbiddenException,
  Inject,
  Injectable,
  Logger,
  Module,
  type Provider,
  Scope,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type MicroserviceOptions, RpcException } from '@nestjs/microservices';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CLOSE,
  ClosingException,
  closeWith,
  Command,
  type EndReason,
  type LineConnection,
  LineError,
  type LineReply,
  LineServer,
  type LineServerOptions,
  LineTransportModule,
  OnConnect,
  OnDisconnect,
} from '../../src/line-transport/index.js';
import { AS_ASKED } from '../support/dispatch.js';
import {
  createLineApplication,
  type LineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { EchoController, Gate } from './controllers.js';

const PATIENT = { shutdownGraceMs: 10_000 };

/** A server whose clients are welcomed by one hook. */
function startWelcoming(
  welcome: (connection: LineConnection) => LineReply | Promise<LineReply>,
  options: LineServerOptions = {},
  providers: Provider[] = [],
): Promise<LineApplication> {
  @Injectable()
  class Door {
    @OnConnect()
    open(connection: LineConnection): LineReply | Promise<LineReply> {
      return welcome(connection);
    }
  }

  return startLineApplication([EchoController], options, [Door, ...providers]);
}

interface Farewells {
  readonly provider: Type;
  readonly said: string[];
  /** Resolves with the next one. */
  next(): Promise<string>;
}

/** A hook that notes whose conversation is over, and why. */
function farewells(): Farewells {
  const said: string[] = [];
  let wake = (): void => undefined;

  @Injectable()
  class Doorkeeper {
    @OnDisconnect()
    goodbye({ id }: LineConnection, reason: EndReason): void {
      said.push(`${id} ${reason}`);
      wake();
    }
  }

  const next = async (): Promise<string> => {
    if (said.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return said.shift() ?? '';
  };
  return { provider: Doorkeeper, said, next };
}

describe('A client that connects', () => {
  it('is greeted by methods of providers and controllers, with what is injected into them', async () => {
    const NAME = Symbol('name');

    @Injectable()
    class Greeter {
      constructor(@Inject(NAME) private readonly name: string) {}

      @OnConnect()
      greet({ remoteAddress }: LineConnection): LineReply {
        return `${this.name} greets ${remoteAddress}`;
      }
    }

    @Controller()
    class GreetingController {
      constructor(@Inject(NAME) private readonly name: string) {}

      @OnConnect()
      greet(): LineReply {
        return `${this.name} is at your service`;
      }

      @Command('NAME')
      tell(): LineReply {
        return this.name;
      }
    }

    const { connect } = await startLineApplication([GreetingController], {}, [
      Greeter,
      { provide: NAME, useValue: 'Nest' },
    ]);
    const client = await connect();
    expect(await client.lines(2)).toEqual(['Nest greets 127.0.0.1', 'Nest is at your service']);
    expect(await client.end('NAME\n').transcript()).toBe('Nest\r\n');
  });

  it.each<[string, () => LineReply | Promise<LineReply>, string]>([
    ['a string', () => 'Hello', 'Hello\r\n'],
    ['an array', () => ['Hello', 'and welcome'], 'Hello\r\nand welcome\r\n'],
    ['a promise', () => Promise.resolve('Hello'), 'Hello\r\n'],
    ['nothing', () => undefined, ''],
    ['a promise of nothing', () => Promise.resolve(undefined), ''],
    ['line ends, which forge no line', () => 'Hello\r\nPONG', 'Hello PONG\r\n'],
  ])('is told what the hook returns: %s', async (_, welcome, greeting) => {
    const { connect } = await startWelcoming(welcome);
    const client = await connect();
    expect(await client.end('PING\n').transcript()).toBe(`${greeting}PONG\r\n`);
  });

  it('is welcomed by the hooks one after the other, those of a provider in their order', async () => {
    const story: string[] = [];
    const gate = new Gate();

    @Injectable()
    class First {
      @OnConnect()
      async slow(): Promise<LineReply> {
        story.push('slow begins');
        await gate.pass();
        story.push('slow ends');
        return 'one';
      }

      @OnConnect()
      quick(): LineReply {
        story.push('quick');
        return 'two';
      }
    }

    @Injectable()
    class Second {
      @OnConnect()
      last(): LineReply {
        story.push('last');
        return 'three';
      }
    }

    const { connect, server } = await startLineApplication([EchoController], {}, [First, Second]);
    const connected = nextEvent(server, 'connection');
    const client = await connect();
    await connected;
    await expect.poll(() => story).toEqual(['slow begins']);
    gate.open();
    expect(await client.lines(3)).toEqual(['one', 'two', 'three']);
    expect(story).toEqual(['slow begins', 'slow ends', 'quick', 'last']);
  });

  it('is welcomed by the hooks in the order of their modules', async () => {
    const hookOf = (name: string): Type => {
      @Injectable()
      class Hook {
        @OnConnect()
        greet(): LineReply {
          return name;
        }
      }
      return Hook;
    };

    @Module({ providers: [hookOf('a')] })
    class A {}
    @Module({ providers: [hookOf('b')] })
    class B {}
    @Module({ providers: [hookOf('c')] })
    class C {}

    const { connect } = await startLineApplication([EchoController], {}, [], [A, B, C]);
    const client = await connect();
    expect(await client.lines(3)).toEqual(['a', 'b', 'c']);
  });

  it('is welcomed once by a hook that its subclass inherits, and once by each instance', async () => {
    class Base {
      @OnConnect()
      greet(): LineReply {
        return this.constructor.name;
      }
    }
    @Injectable()
    class One extends Base {}
    @Injectable()
    class Other extends Base {}

    const { connect } = await startLineApplication([EchoController], {}, [
      One,
      Other,
      { provide: 'alias', useExisting: One },
    ]);
    const client = await connect();
    expect(await client.end('PING\n').transcript()).toBe('One\r\nOther\r\nPONG\r\n');
  });

  it('has its first line served when the hook is done, however long that takes, and in order', async () => {
    const gate = new Gate();
    const { connect, server } = await startWelcoming(async ({ session }) => {
      await gate.pass();
      session['isWelcome'] = true;
      return 'Hello';
    });
    const served: unknown[] = [];
    server.on('request', ({ session }) => served.push(session['isWelcome']));
    const client = await connect();
    client.send('NEXT\nSLOW\nNEXT\n');
    const neighbour = await connect();
    neighbour.send('PING\n');
    expect(served).toEqual([]);
    gate.open();
    expect(await client.lines(4)).toEqual(['Hello', '1', 'SLOW', '2']);
    expect(await neighbour.lines(2)).toEqual(['Hello', 'PONG']);
    expect(served).toEqual([true, true, true, true]);
  });

  it('is welcomed and answered although it has closed its side meanwhile', async () => {
    const gate = new Gate();
    const { connect } = await startWelcoming(() => gate.pass().then(() => 'Hello'));
    const client = (await connect()).end('PING\nNEXT');
    const inputEnded = nextTurns(3);
    await inputEnded;
    expect(client.received).toBe('');
    gate.open();
    expect(await client.transcript()).toBe('Hello\r\nPONG\r\n1\r\n');
  });

  it('costs no other client time', async () => {
    const gates = [new Gate(), new Gate()];
    const { connect } = await startWelcoming(({ id }) =>
      gates[id - 1]?.pass().then(() => `Hello ${id}`),
    );
    const [slow, quick] = [await connect(), await connect()];
    slow.send('PING\n');
    gates[1]?.open();
    quick.send('PING\n');
    expect(await quick.lines(2)).toEqual(['Hello 2', 'PONG']);
    expect(slow.received).toBe('');
    gates[0]?.open();
    expect(await slow.lines(2)).toEqual(['Hello 1', 'PONG']);
  });
});

describe('A client is refused', () => {
  const refusals: [string, () => LineReply | Promise<LineReply>, string][] = [
    ['closeWith', () => closeWith('no'), 'no\r\n'],
    [
      'a promise of closeWith',
      () => Promise.resolve(closeWith('not', 'today')),
      'not\r\ntoday\r\n',
    ],
    ['CLOSE', () => CLOSE, ''],
    [
      'a ForbiddenException',
      () => fail(new ForbiddenException('Not from there')),
      'ERROR: Not from there\r\n',
    ],
    ['an RpcException', () => fail(new RpcException('not you')), 'ERROR: not you\r\n'],
    ['a ClosingException', () => fail(new ClosingException('never')), 'ERROR: never\r\n'],
    ['a rejected promise', () => Promise.reject(new RpcException('later')), 'ERROR: later\r\n'],
    ['any Error, in general words', () => fail(new Error('secret')), 'SERVER ERROR.\r\n'],
    ['what no line can say', () => ({ secret: 1 }) as never, 'SERVER ERROR.\r\n'],
  ];

  it.each(refusals)('by %s: told so, then a FIN', async (_, welcome, told) => {
    const goodbye = farewells();
    const { connect, server } = await startWelcoming(welcome, { greeting: 'WELCOME' }, [
      goodbye.provider,
    ]);
    const requests: string[] = [];
    server.on('request', (__, line) => requests.push(line));
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    client.send('PING\nPING\n');
    expect(await client.transcript()).toBe(told);
    client.end();
    expect((await over).slice(1)).toEqual(['refused', undefined]);
    expect(await goodbye.next()).toBe('1 refused');
    expect(requests).toEqual([]);
    expect(server.stats()).toMatchObject({
      lines: 0,
      connections: { open: 0, ended: { refused: 1 } },
    });
  });

  it('and is not welcomed by later hooks, nor greeted', async () => {
    const later: string[] = [];

    @Injectable()
    class Doorman {
      @OnConnect()
      refuse({ id }: LineConnection): LineReply {
        return id === 1 ? closeWith('no') : 'come in';
      }
    }
    @Injectable()
    class Host {
      @OnConnect()
      welcome({ id }: LineConnection): LineReply {
        later.push(`welcome ${id}`);
        return 'welcome';
      }
    }

    const { connect } = await startLineApplication([EchoController], { greeting: 'ready' }, [
      Doorman,
      Host,
    ]);
    const refused = await connect();
    expect(await refused.transcript()).toBe('no\r\n');
    refused.end();
    const admitted = await connect();
    expect(await admitted.end('PING\n').transcript()).toBe(
      'come in\r\nwelcome\r\nready\r\nPONG\r\n',
    );
    expect(later).toEqual(['welcome 2']);
  });

  it('by a later hook, after what earlier ones have said', async () => {
    @Injectable()
    class Host {
      @OnConnect()
      welcome(): LineReply {
        return 'welcome';
      }

      @OnConnect()
      refuse(): LineReply {
        throw new RpcException('after all not');
      }
    }

    const { connect } = await startLineApplication([EchoController], {}, [Host]);
    const client = await connect();
    expect(await client.transcript()).toBe('welcome\r\nERROR: after all not\r\n');
    client.end();
  });

  it('for a reason it was meant to know: an event "rejected", and no defect', async () => {
    const { connect, server } = await startWelcoming(() => fail(new ForbiddenException('no')));
    const rejected = nextEvent(server, 'rejected');
    const client = await connect();
    expect(await client.end().transcript()).toBe('ERROR: no\r\n');
    expect(await rejected).toEqual([
      expect.objectContaining({ id: 1 }),
      '',
      expect.any(ForbiddenException),
    ]);
    expect(server.stats()).toMatchObject({ rejected: 1, handlerErrors: 0 });
  });

  it('because of a defect: an event "handlerError"', async () => {
    const { connect, server } = await startWelcoming(() => fail(new Error('secret')));
    const failed = nextEvent(server, 'handlerError');
    const client = await connect();
    expect(await client.end().transcript()).toBe('SERVER ERROR.\r\n');
    expect(await failed).toEqual([
      expect.objectContaining({ id: 1 }),
      '',
      expect.objectContaining({ message: 'secret' }),
    ]);
    expect(server.stats()).toMatchObject({ rejected: 0, handlerErrors: 1 });
  });

  it('if its hook takes longer than a handler may, and is never admitted', async () => {
    const gate = new Gate();
    const later: string[] = [];

    @Injectable()
    class Host {
      @OnConnect()
      async welcome(): Promise<LineReply> {
        await gate.pass();
        later.push('first');
        return 'welcome';
      }

      @OnConnect()
      next(): LineReply {
        later.push('second');
        return 'welcome';
      }
    }

    const goodbye = farewells();
    const { connect, server } = await startLineApplication(
      [EchoController],
      { handlerTimeoutMs: 20, greeting: 'ready' },
      [Host, goodbye.provider],
    );
    const failed = nextEvent(server, 'handlerError');
    const client = await connect();
    client.send('PING\n');
    expect(await client.transcript()).toBe('NO ANSWER IN TIME.\r\n');
    client.end();
    expect(await failed).toEqual([
      expect.objectContaining({ id: 1 }),
      '',
      expect.objectContaining({ code: 'ERR_LINE_TIMEOUT' }),
    ]);
    expect(await goodbye.next()).toBe('1 refused');
    client.end();
    gate.open();
    await expect.poll(() => later).toEqual(['first']);
    await server.close();
    expect(later).toEqual(['first']);
    expect(server.stats()).toMatchObject({ lines: 0, handlerErrors: 1 });
  });

  it('if its hook never settles, and the server closes within its grace all the same', async () => {
    const { connect, server } = await startWelcoming(() => new Promise(() => undefined), {
      handlerTimeoutMs: 20,
      shutdownGraceMs: 50,
    });
    const client = await connect();
    expect(await client.transcript()).toBe('NO ANSWER IN TIME.\r\n');
    client.end();
    await server.close();
    expect(server.stats().connections.open).toBe(0);
  });

  it('however late that is decided where nothing has a limit: its farewell waits for it', async () => {
    const gate = new Gate();
    const { connect, server } = await startWelcoming(
      () => gate.pass().then(() => closeWith('no')),
      {
        handlerTimeoutMs: 0,
      },
    );
    const client = await connect();
    client.reset();
    await nextEvent(server, 'disconnection');
    gate.open();
    await server.close();
    expect(server.stats().connections.open).toBe(0);
  });

  it('although it has been served before on another connection', async () => {
    let isOpen = true;
    const { connect } = await startWelcoming(() => (isOpen ? 'open' : closeWith('closed')));
    const admitted = await connect();
    expect(await admitted.line()).toBe('open');
    isOpen = false;
    const refused = await connect();
    expect(await refused.transcript()).toBe('closed\r\n');
    refused.end();
    expect(await admitted.end('PING\n').transcript()).toBe('PONG\r\n');
  });

  it('and is not told what is pushed to it meanwhile', async () => {
    const gate = new Gate();
    const { connect, server } = await startWelcoming(() => gate.pass().then(() => closeWith('no')));
    const connected = nextEvent(server, 'connection');
    const said: string[] = [];
    server.on('reply', (_, line) => said.push(line));
    const client = await connect();
    await connected;
    for (const connection of server.connections) connection.push('members only');
    gate.open();
    expect(await client.transcript()).toBe('no\r\n');
    client.end();
    expect(said).toEqual(['no']);
  });
});

describe('A client that leaves while it is welcomed', () => {
  it('is not welcomed by later hooks, and its farewell comes when the hook is done', async () => {
    const gate = new Gate();
    const story: string[] = [];

    @Injectable()
    class Host {
      @OnConnect()
      async first(): Promise<LineReply> {
        story.push('first begins');
        await gate.pass();
        story.push('first ends');
        return 'welcome';
      }

      @OnConnect()
      second(): void {
        story.push('second');
      }

      @OnDisconnect()
      farewell(_: LineConnection, reason: EndReason): void {
        story.push(reason);
      }
    }

    const { connect, server } = await startLineApplication([EchoController], {}, [Host]);
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    await expect.poll(() => story).toEqual(['first begins']);
    client.reset();
    expect((await over)[1]).toBe('reset');
    expect(story).toEqual(['first begins']);
    gate.open();
    await expect.poll(() => story).toEqual(['first begins', 'first ends', 'reset']);
    expect(server.stats().handlerErrors).toBe(0);
  });

  it('has its hook report a failure that comes later, since it is a defect', async () => {
    const gate = new Gate();
    const { connect, server } = await startWelcoming(() =>
      gate.pass().then(() => fail(new Error('too late'))),
    );
    const over = nextEvent(server, 'disconnection');
    const failed = nextEvent(server, 'handlerError');
    const connected = nextEvent(server, 'connection');
    const client = await connect();
    await connected;
    client.reset();
    await over;
    gate.open();
    expect((await failed).slice(1)).toEqual(['', expect.objectContaining({ message: 'too late' })]);
  });
});

describe('A farewell', () => {
  it('comes once for each client, with the reason', async () => {
    const goodbye = farewells();
    const { connect } = await startLineApplication([EchoController], { idleTimeoutMs: 500 }, [
      goodbye.provider,
    ]);
    const quitter = await connect();
    await quitter.send('QUIT\n').transcript();
    quitter.end();
    expect(await goodbye.next()).toBe('1 quit');
    await (await connect()).end('PING\n').transcript();
    expect(await goodbye.next()).toBe('2 client');
    const resetter = await connect();
    resetter.send('PING\n');
    await resetter.line();
    resetter.reset();
    expect(await goodbye.next()).toBe('3 reset');
    const idler = await connect();
    expect(await idler.transcript()).toBe('TIMED OUT.\r\n');
    idler.end();
    expect(await goodbye.next()).toBe('4 idle');
    expect(goodbye.said).toEqual([]);
  });

  it('comes with "shutdown" to those who are there when the server closes, before it is closed', async () => {
    const goodbye = farewells();
    const { app, connect } = await startLineApplication([EchoController], PATIENT, [
      goodbye.provider,
    ]);
    const clients = [await connect(), await connect()];
    for (const client of clients) {
      client.send('PING\n');
      await client.line();
    }
    const closed = app.close();
    for (const client of clients) {
      await client.transcript();
      client.end();
    }
    await closed;
    expect(goodbye.said.toSorted()).toEqual(['1 shutdown', '2 shutdown']);
  });

  it('comes to those who are cut when the grace is over', async () => {
    const goodbye = farewells();
    const { app, connect, server } = await startLineApplication(
      [EchoController],
      { shutdownGraceMs: 30 },
      [goodbye.provider],
    );
    server.addHandler('HELD', () => new Promise(() => undefined));
    const asked = nextEvent(server, 'request');
    const client = await connect();
    client.send('HELD\n');
    await asked;
    await app.close();
    expect(goodbye.said).toEqual(['1 shutdown']);
    await client.ended();
  });

  it('does not come to those whom the server had no room for', async () => {
    const goodbye = farewells();
    const { connect } = await startLineApplication([EchoController], { maxConnections: 1 }, [
      goodbye.provider,
    ]);
    const first = await connect();
    first.send('PING\n');
    await first.line();
    const second = await connect();
    expect(await second.transcript()).toBe('SERVER FULL. Try again later.\r\n');
    second.end();
    await first.end().transcript();
    expect(await goodbye.next()).toBe('1 client');
    expect(goodbye.said).toEqual([]);
  });

  it('does not come to those whom no hook has welcomed', async () => {
    const story: string[] = [];

    @Injectable()
    class Host {
      @OnConnect()
      welcome({ id }: LineConnection): void {
        story.push(`welcome ${id}`);
      }

      @OnDisconnect()
      farewell({ id }: LineConnection): void {
        story.push(`farewell ${id}`);
      }
    }

    const { connect, server } = await startLineApplication([EchoController], {}, [Host]);
    server.on('connection', (connection) => {
      if (connection.id === 1) connection.end('quit', 'full moon');
    });
    const turnedAway = await connect();
    expect(await turnedAway.end().transcript()).toBe('full moon\r\n');
    const welcomed = await connect();
    expect(await welcomed.end('PING\n').transcript()).toBe('PONG\r\n');
    await expect.poll(() => story).toEqual(['welcome 2', 'farewell 2']);
  });

  it('that fails is reported, and keeps no other from being said', async () => {
    const goodbye = farewells();

    @Injectable()
    class Failing {
      @OnDisconnect()
      throws(): void {
        throw new Error('first');
      }

      @OnDisconnect()
      rejects(): Promise<void> {
        return Promise.reject(new Error('second'));
      }
    }

    const { connect, server } = await startLineApplication([EchoController], {}, [
      Failing,
      goodbye.provider,
    ]);
    const failures: unknown[][] = [];
    server.on('handlerError', (...failure) => failures.push(failure));
    await (await connect()).end('PING\n').transcript();
    expect(await goodbye.next()).toBe('1 client');
    const connection: unknown = expect.objectContaining({ id: 1, over: true });
    expect(failures).toEqual([
      [connection, '', expect.objectContaining({ message: 'first' })],
      [connection, '', expect.objectContaining({ message: 'second' })],
    ]);
    await (await connect()).end('PING\n').transcript();
    expect(await goodbye.next()).toBe('2 client');
  });

  it('is waited for by a server that closes', async () => {
    const gate = new Gate();
    const story: string[] = [];

    @Injectable()
    class Slow {
      @OnDisconnect()
      async farewell(): Promise<void> {
        story.push('begins');
        await gate.pass();
        story.push('ends');
      }

      onModuleDestroy(): void {
        story.push('destroyed');
      }
    }

    const { app, connect, server } = await startLineApplication([EchoController], PATIENT, [Slow]);
    const client = await connect();
    const closed = once(client.socket, 'close');
    await client.end('PING\n').transcript();
    await closed;
    await expect.poll(() => story).toEqual(['begins']);
    const draining = nextEvent(server, 'draining');
    const closing = app.close().then(() => story.push('closed'));
    await draining;
    await nextTurns(5);
    expect(story).toEqual(['begins']);
    gate.open();
    await closing;
    expect(story).toEqual(['begins', 'ends', 'destroyed', 'closed']);
  });

  it('that never ends is not waited for longer than the grace', async () => {
    @Injectable()
    class Endless {
      @OnDisconnect()
      farewell(): Promise<void> {
        return new Promise(() => undefined);
      }
    }

    const { app, connect } = await startLineApplication([EchoController], { shutdownGraceMs: 50 }, [
      Endless,
    ]);
    const client = await connect();
    await client.end('PING\n').transcript();
    const started = performance.now();
    await app.close();
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe('A server made without LineTransportModule', () => {
  it('says when it listens that it calls no hooks', async () => {
    const warned: unknown[] = [];
    Logger.overrideLogger({
      warn: (message: unknown) => warned.push(message),
      error: (message: unknown) => warned.push(message),
      log: () => undefined,
    });
    onTestFinished(() => Logger.overrideLogger(false));
    const server = new LineServer({ host: '127.0.0.1' });
    onTestFinished(() => server.close());
    await new Promise((resolve) => {
      server.listen(resolve);
    });
    expect(warned).toEqual([
      'There are @OnConnect() or @OnDisconnect() methods, but this server was made without LineTransportModule and calls none.',
    ]);
  });
});

describe('A hook on a class of which there is no one instance', () => {
  const NEVER_ONE = [
    ['request-scoped', Scope.REQUEST],
    ['transient', Scope.TRANSIENT],
  ] as const;

  it.each(NEVER_ONE)('stops the start and is named: a %s provider', async (_, scope) => {
    @Injectable({ scope })
    class Fickle {
      @OnConnect()
      welcome(): void {}
    }

    @Controller()
    class UsingController {
      constructor(readonly fickle: Fickle) {}

      @Command('PING')
      ping(): LineReply {
        return 'PONG';
      }
    }

    const { app } = await createLineApplication([UsingController], {}, [Fickle]);
    const fault: unknown = await app.listen().catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(LineError);
    expect(fault).toMatchObject({
      code: 'ERR_LINE_HOOK',
      message: expect.stringContaining('Fickle.welcome'),
    });
  });

  it('stops the start also if it is a controller, or depends on what is request-scoped', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Request {}

    @Controller()
    class DependentController {
      constructor(readonly request: Request) {}

      @OnDisconnect()
      farewell(): void {}
    }

    const { app } = await createLineApplication([DependentController], {}, [Request]);
    await expect(app.listen()).rejects.toMatchObject({
      code: 'ERR_LINE_HOOK',
      message: expect.stringContaining('DependentController.farewell'),
    });
  });

  it('is no matter if the class has no hook', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Request {
      readonly answer = 'fine';
    }

    @Controller()
    class RequestController {
      constructor(readonly request: Request) {}

      @Command('HOW')
      how(): LineReply {
        return this.request.answer;
      }
    }

    const goodbye = farewells();
    const { connect } = await startLineApplication([RequestController], {}, [
      Request,
      goodbye.provider,
    ]);
    expect(await (await connect()).end('HOW\n').transcript()).toBe('fine\r\n');
    expect(await goodbye.next()).toBe('1 client');
  });
});

describe('In a hybrid application hooks are called', () => {
  const goodbye = farewells();

  @Injectable()
  class Greeter {
    @OnConnect()
    greet(): LineReply {
      return 'Hello';
    }
  }

  @Module({
    imports: [LineTransportModule.forRoot({ ...AS_ASKED, host: '127.0.0.1', greeting: 'ready' })],
    controllers: [EchoController],
    providers: [Greeter, goodbye.provider],
  })
  class HybridModule {}

  it.each(['before', 'after'])(
    'although the line server listens %s the application is initialised',
    async (when) => {
      const app = await NestFactory.create(HybridModule, { logger: false });
      onTestFinished(() => app.close());
      app.connectMicroservice<MicroserviceOptions>({ strategy: app.get(LineServer) });
      if (when === 'after') await app.init();
      await app.startAllMicroservices();
      const { port } = app.get(LineServer).unwrap().address() as AddressInfo;
      const early = await TestClient.connect(port);
      expect(await early.end('PING\n').transcript()).toBe('Hello\r\nready\r\nPONG\r\n');
      expect(await goodbye.next()).toBe('1 client');
      await app.init();
      const later = await TestClient.connect(port);
      expect(await later.end('PING\n').transcript()).toBe('Hello\r\nready\r\nPONG\r\n');
      expect(await goodbye.next()).toBe('2 client');
    },
  );

  it('with a wrong hook the line server does not start', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Fickle {
      @OnConnect()
      welcome(): void {}
    }

    @Module({ imports: [LineTransportModule.forRoot({})], providers: [Fickle] })
    class WrongModule {}

    const app = await NestFactory.create(WrongModule, { logger: false });
    onTestFinished(() => app.close());
    app.connectMicroservice<MicroserviceOptions>({ strategy: app.get(LineServer) });
    await expect(app.startAllMicroservices()).rejects.toMatchObject({ code: 'ERR_LINE_HOOK' });
  });
});

describe('The greeting of the options', () => {
  it.each<[string, string | string[], string]>([
    ['a line', 'READY', 'READY\r\n'],
    ['several lines', ['READY', '', 'Ask me'], 'READY\r\n\r\nAsk me\r\n'],
    ['no line', [], ''],
    ['a line although it holds line ends', 'READY\r\nPONG\0', 'READY PONG \r\n'],
  ])('is said to every client before its first line is served: %s', async (_, greeting, said) => {
    const { connect } = await startLineApplication([EchoController], { greeting });
    for (let round = 0; round < 2; round++) {
      const client = await connect();
      expect(await client.end('PING\n').transcript()).toBe(`${said}PONG\r\n`);
    }
  });

  it('is said to a client that says nothing', async () => {
    const { connect } = await startLineApplication([EchoController], { greeting: 'READY' });
    const client = await connect();
    expect(await client.line()).toBe('READY');
    expect(await client.end().transcript()).toBe('');
  });

  it('comes before every reply, however much was sent before it could be said', async () => {
    const { connect } = await startLineApplication([EchoController], { greeting: 'READY' });
    const client = await connect();
    const count = 10_000;
    const transcript = await client.end('PING\n'.repeat(count)).transcript();
    expect(transcript).toBe(`READY\r\n${'PONG\r\n'.repeat(count)}`);
  });

  it('follows what the hooks have said', async () => {
    const { connect } = await startWelcoming(() => 'from a hook', { greeting: 'from the options' });
    const client = await connect();
    expect(await client.lines(2)).toEqual(['from a hook', 'from the options']);
  });

  it('is no part of what inject() answers', async () => {
    const { server } = await startWelcoming(() => 'from a hook', { greeting: ['from', 'options'] });
    expect(await server.inject('PING')).toBe('PONG');
    expect(await server.inject('QUIT')).toBe('');
  });
});

function fail(error: Error): never {
  throw error;
}

/** Lets what is ready happen: turns of the event loop. */
async function nextTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
