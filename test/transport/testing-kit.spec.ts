/** The testing kit: the whole pipeline without a port, one line at a time or a whole conversation. */
import {
  Controller,
  type ExecutionContext,
  ForbiddenException,
  Inject,
  Injectable,
  type INestMicroservice,
  Module,
  type Provider,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { type AsyncMicroserviceOptions, Ctx } from '@nestjs/microservices';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AppModule } from '../../src/app.module.js';
import {
  CLOSE,
  Command,
  type EndReason,
  LINE_SERVER_OPTIONS,
  type LineConnection,
  LineContext,
  LineError,
  type LineReply,
  LineServer,
  type LineServerOptions,
  LineTransportModule,
  OnConnect,
  OnDisconnect,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { readSettings, settings } from '../../src/operations/config/settings.js';
import { ClockService } from '../../src/time/clock.service.js';
import { FixedClock } from '../../src/time/fixed-clock.js';
import { TimeModule } from '../../src/time/time.module.js';
import { AS_ASKED } from '../support/dispatch.js';
import { nextEvent } from '../support/line-application.js';
import { EchoController, Gate } from './controllers.js';

interface Initialised {
  readonly app: INestMicroservice;
  readonly server: LineServer;
}

/** An application that is initialised and does not listen; closed when the test ends. */
async function initialise(builder: TestingModuleBuilder): Promise<Initialised> {
  const module = await builder.compile();
  const app = module.createNestMicroservice<AsyncMicroserviceOptions>({
    inject: [LineServer],
    useFactory: (strategy: LineServer) => ({ strategy }),
    logger: false,
  });
  onTestFinished(() => app.close());
  await app.init();
  return { app, server: app.get(LineServer) };
}

function initialiseWith(
  controllers: Type[],
  options: LineServerOptions = {},
  providers: Provider[] = [],
): Promise<Initialised> {
  const imports = [LineTransportModule.forRoot({ ...AS_ASKED, ...options })];
  return initialise(Test.createTestingModule({ imports, controllers, providers }));
}

/** A server whose application is compiled, and not initialised. */
async function compileOnly(): Promise<LineServer> {
  const imports = [LineTransportModule.forRoot({})];
  const builder = Test.createTestingModule({ imports, controllers: [EchoController] });
  return (await builder.compile()).get(LineServer);
}

function sockets(): string[] {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP'));
}

@Injectable()
class AddressGuard {
  canActivate(context: ExecutionContext): boolean {
    const { remoteAddress } = context.switchToRpc().getContext<LineContext>().connection;
    if (remoteAddress?.startsWith('10.') === true) return true;
    throw new ForbiddenException(`Not from ${remoteAddress}`);
  }
}

@Controller()
class GuardedController {
  @UseGuards(AddressGuard)
  @Command('SECRET')
  secret(): LineReply {
    return ['one', 'two', '', 'four'];
  }

  @Command('WHO')
  who(@Ctx() { connection }: LineContext): LineReply {
    const { remoteAddress, remotePort, localAddress, localPort, tls } = connection;
    return [remoteAddress, remotePort, localAddress, localPort, tls?.servername].map(String);
  }

  @Command('NOTHING')
  nothing(): void {}

  @Command('GREET', { args: 'rest' })
  greet(@Ctx() { line }: LineContext): LineReply {
    return `Hello,${line.slice('GREET'.length)}!`;
  }
}

describe('inject()', () => {
  it('answers one line as a client would be answered', async () => {
    const { server } = await initialiseWith([EchoController]);
    expect(await server.inject('PING')).toBe('PONG');
    expect(await server.inject(' PING ')).toBe('PONG');
    expect(await server.inject('ping')).toBe('UNKNOWN COMMAND. Use PING, NEXT, SLOW, QUIT or BYE.');
    expect(await server.inject('SLOW')).toBe('SLOW');
    expect(server.stats()).toMatchObject({ lines: 4, connections: { open: 0, accepted: 4 } });
  });

  it('gives lines separated by LF, and an empty string for none', async () => {
    const { server } = await initialiseWith([GuardedController, EchoController]);
    expect(await server.inject('SECRET', { remoteAddress: '10.0.0.1' })).toBe('one\ntwo\n\nfour');
    expect(await server.inject('NOTHING')).toBe('');
    expect(await server.inject('BYE')).toBe('See you\nsoon');
    expect(await server.inject('QUIT')).toBe('');
    expect(await server.inject('GREET Ægir 時')).toBe('Hello, Ægir 時!');
  });

  it('says who asks: 127.0.0.1 unless the test says otherwise', async () => {
    const { server } = await initialiseWith([GuardedController]);
    expect(await server.inject('WHO')).toBe(
      ['127.0.0.1', ...Array<string>(4).fill('undefined')].join('\n'),
    );
    expect(await server.inject('SECRET')).toBe('ERROR: Not from 127.0.0.1');
    const peer = { remoteAddress: '10.1.2.3', remotePort: 7, localAddress: '::1', localPort: 8 };
    expect(await server.inject('WHO', peer)).toBe('10.1.2.3\n7\n::1\n8\nundefined');
    const tls = {
      protocol: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
      authorized: false,
      servername: 'example.org',
      certificate: undefined,
    };
    expect(await server.inject('WHO', { tls })).toMatch(/^undefined\n.*\nexample\.org$/s);
  });

  it('serves many at once, each on a connection of its own', async () => {
    const { server } = await initialiseWith([EchoController]);
    const lines = Array.from({ length: 100 }, () => ['SLOW', 'PING']).flat();
    const replies = await Promise.all(lines.map((line) => server.inject(line)));
    expect(replies).toEqual(lines.map((line) => (line === 'PING' ? 'PONG' : line)));
    expect(server.connections.size).toBe(0);
  });

  it('tells what a hook refuses with, and not what it greets with', async () => {
    @Injectable()
    class Door {
      @OnConnect()
      open({ remoteAddress }: LineConnection): LineReply {
        if (remoteAddress === '10.6.6.6') throw new ForbiddenException('Go away');
        return 'welcome';
      }
    }

    const { server } = await initialiseWith([EchoController], { greeting: 'ready' }, [Door]);
    expect(await server.inject('PING')).toBe('PONG');
    expect(await server.inject('PING', { remoteAddress: '10.6.6.6' })).toBe('ERROR: Go away');
  });

  it('needs an application that is initialised, and says so', async () => {
    const server = await compileOnly();
    const fault: unknown = await server.inject('PING').catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(LineError);
    expect(fault).toMatchObject({
      code: 'ERR_LINE_CONNECT',
      message: expect.stringContaining('app.init()'),
    });
    expect(server.stats().connections.accepted).toBe(0);
  });

  it('is answered when the application is closed meanwhile', async () => {
    const { app, server } = await initialiseWith([EchoController]);
    const gate = new Gate();
    server.addHandler('HELD', () => gate.pass().then(() => 'at last'));
    const asked = nextEvent(server, 'request');
    const reply = server.inject('HELD');
    await asked;
    const closed = app.close();
    gate.open();
    expect(await reply).toBe('at last');
    await closed;
  });

  it('is refused once the server is being closed, and told so', async () => {
    const { server } = await initialiseWith([EchoController]);
    const gate = new Gate();
    server.addHandler('HELD', () => gate.pass().then(() => 'at last'));
    const reply = server.inject('HELD');
    const closed = server.close();
    const fault = { code: 'ERR_LINE_CLOSED', message: expect.stringContaining('server is closed') };
    await expect(server.inject('PING')).rejects.toMatchObject(fault);
    gate.open();
    expect(await reply).toBe('at last');
    await closed;
    await expect(server.inject('PING')).rejects.toMatchObject(fault);
  });

  it('says that there is no reply when the grace of a closing server is over', async () => {
    const { app, server } = await initialiseWith([EchoController], { shutdownGraceMs: 20 });
    server.addHandler('HELD', () => new Promise(() => undefined));
    const asked = nextEvent(server, 'request');
    const fault = server.inject('HELD').catch((error: unknown) => error);
    await asked;
    await app.close();
    expect(await fault).toMatchObject({ code: 'ERR_LINE_CLOSED' });
  });
});

describe('A conversation in memory', () => {
  it('sends lines and takes replies, one by one', async () => {
    const { server } = await initialiseWith([EchoController]);
    const client = new LineConversation(server);
    client.send('NEXT', 'SLOW', 'NEXT');
    expect(await client.next()).toBe('1');
    expect(await client.next()).toBe('SLOW');
    expect(await client.next()).toBe('2');
    client.send('BYE');
    expect(await client.rest()).toEqual(['See you', 'soon']);
    expect(await client.next()).toBeUndefined();
    expect(client.connection.over).toBe(true);
  });

  it('gives the lines to those who asked for the next one, in the order they asked', async () => {
    const { server } = await initialiseWith([EchoController]);
    const client = new LineConversation(server);
    const three = Promise.all([client.next(), client.next(), client.next()]);
    client.send('NEXT');
    client.send('NEXT').end();
    expect(await three).toEqual(['1', '2', undefined]);
  });

  it('needs an application that is initialised, and says so', async () => {
    const server = await compileOnly();
    expect(() => new LineConversation(server)).toThrow(
      expect.objectContaining({
        code: 'ERR_LINE_CONNECT',
        message: expect.stringContaining('app.init()'),
      }),
    );
    expect(server.stats().connections.accepted).toBe(0);
  });

  it('that has ended its side, or whose server has, says that nothing can be sent', async () => {
    const { server } = await initialiseWith([EchoController]);
    const [ended, quit] = [
      new LineConversation(server).send('SLOW').end(),
      new LineConversation(server),
    ];
    expect(await quit.send('QUIT').rest()).toEqual([]);
    for (const client of [ended, quit]) {
      expect(() => client.send('PING')).toThrow(
        expect.objectContaining({
          code: 'ERR_LINE_CLOSED',
          message: 'Nothing can be sent: this side of the conversation is closed.',
        }),
      );
    }
    expect(await ended.end().rest()).toEqual(['SLOW']);
  });

  it('is answered after it has closed its side', async () => {
    const { server } = await initialiseWith([EchoController]);
    const over = nextEvent(server, 'disconnection');
    const client = new LineConversation(server).write('SLOW\nPING').end();
    expect(await client.rest()).toEqual(['SLOW', 'PONG']);
    expect((await over)[1]).toBe('client');
  });

  it('hears a greeting, and what is pushed', async () => {
    const { server } = await initialiseWith([EchoController], { greeting: 'ready' });
    const client = new LineConversation(server);
    expect(await client.next()).toBe('ready');
    expect(client.connection.push('news')).toBe(true);
    expect(await client.next()).toBe('news');
    expect([...server.connections]).toEqual([client.connection]);
  });

  it('keeps its session, which a test can look at', async () => {
    @Controller()
    class CountingController {
      @Command('COUNT')
      count(@Ctx() { session }: LineContext<{ count: number }>): LineReply {
        session.count = (session.count ?? 0) + 1;
        return session.count;
      }
    }

    const { server } = await initialiseWith([CountingController]);
    const [one, other] = [new LineConversation(server), new LineConversation(server)];
    one.send('COUNT', 'COUNT');
    other.send('COUNT');
    expect([await one.next(), await one.next(), await other.next()]).toEqual(['1', '2', '1']);
    expect(one.connection.session).toEqual({ count: 2 });
  });

  it('may be cut anywhere: every split of a line is the same line', async () => {
    const { server } = await initialiseWith([GuardedController]);
    const bytes = Buffer.from('GREET Ægir 時 🕰\r\n');
    for (let at = 0; at <= bytes.length; at++) {
      const client = new LineConversation(server);
      client.write(bytes.subarray(0, at), bytes.subarray(at)).end();
      expect(await client.rest()).toEqual(['Hello, Ægir 時 🕰!']);
    }
    const client = new LineConversation(server);
    client.write(...Array.from(bytes, (byte) => Uint8Array.of(byte))).end();
    expect(await client.rest()).toEqual(['Hello, Ægir 時 🕰!']);
  });

  it('sends raw bytes as they are: no line end is added, and telnet is understood', async () => {
    const { server } = await initialiseWith([EchoController]);
    const client = new LineConversation(server);
    client.write('PI', 'NG', '\n');
    expect(await client.next()).toBe('PONG');
    client.write(Uint8Array.of(0xff, 0xfb, 0x18), 'PING\r\0', '\nPING\n');
    expect(await client.next()).toMatch(/^(PONG|UNKNOWN COMMAND)/);
    client.end();
    expect((await client.rest()).at(-1)).toBe('PONG');
  });

  it('comes from where the test says, for guards and hooks', async () => {
    const addresses: unknown[] = [];

    @Injectable()
    class Book {
      @OnConnect()
      enter({ remoteAddress, remotePort }: LineConnection): void {
        addresses.push([remoteAddress, remotePort]);
      }
    }

    const { server } = await initialiseWith([GuardedController], {}, [Book]);
    const inside = new LineConversation(server, { remoteAddress: '10.0.0.1' }).send('SECRET').end();
    expect(await inside.rest()).toEqual(['one', 'two', '', 'four']);
    const outside = new LineConversation(server).send('SECRET').end();
    expect(await outside.rest()).toEqual(['ERROR: Not from 127.0.0.1']);
    expect(addresses).toEqual([
      ['10.0.0.1', undefined],
      ['127.0.0.1', 50_000],
    ]);
  });

  it('that is disconnected was "reset", and is told nothing more', async () => {
    const reasons: EndReason[] = [];
    const gate = new Gate();

    @Injectable()
    class Book {
      @OnDisconnect()
      leave(_: LineConnection, reason: EndReason): void {
        reasons.push(reason);
      }
    }

    const { server } = await initialiseWith([EchoController], {}, [Book]);
    const signals: AbortSignal[] = [];
    server.addHandler('HELD', (_: unknown, { signal }: LineContext) => {
      signals.push(signal);
      return gate.pass().then(() => 'too late');
    });
    const over = nextEvent(server, 'disconnection');
    const client = new LineConversation(server).send('HELD', 'PING');
    await expect.poll(() => signals.length).toBe(1);
    client.disconnect();
    expect((await over)[1]).toBe('reset');
    gate.open();
    expect(await client.rest()).toEqual([]);
    expect(signals[0]?.reason).toMatchObject({ code: 'ERR_LINE_CLOSED' });
    await expect.poll(() => reasons).toEqual(['reset']);
  });

  it('may be disconnected while it is welcomed, with lines that were sent', async () => {
    const gate = new Gate();
    const begun = new Gate();
    const reasons: EndReason[] = [];

    @Injectable()
    class Door {
      @OnConnect()
      open(): Promise<void> {
        begun.open();
        return gate.pass();
      }

      @OnDisconnect()
      close(_: LineConnection, reason: EndReason): void {
        reasons.push(reason);
      }
    }

    const { server } = await initialiseWith([EchoController], {}, [Door]);
    const over = nextEvent(server, 'disconnection');
    const client = new LineConversation(server).send('PING', 'PING');
    await begun.pass();
    client.disconnect();
    await over;
    expect(reasons).toEqual([]);
    gate.open();
    await expect.poll(() => reasons).toEqual(['reset']);
    expect(server.stats().lines).toBe(0);
  });

  it('is ended by a closing application, with every reply', async () => {
    const { app, server } = await initialiseWith([EchoController], { shutdownGraceMs: 10_000 });
    const gate = new Gate();
    server.addHandler('HELD', () => gate.pass().then(() => 'at last'));
    const asked = nextEvent(server, 'request');
    const idle = new LineConversation(server);
    const busy = new LineConversation(server).send('HELD', 'PING');
    await asked;
    const closed = app.close();
    gate.open();
    expect(await idle.rest()).toEqual([]);
    expect(await busy.rest()).toEqual(['at last', 'PONG']);
    const ended = performance.now();
    await closed;
    expect(performance.now() - ended).toBeLessThan(500);
    expect(server.stats().connections).toMatchObject({ open: 0, ended: { shutdown: 2 } });
  });

  it('is held to the limits of the server', async () => {
    const { server } = await initialiseWith([EchoController], {
      maxLineBytes: 8,
      idleTimeoutMs: 30,
      handlerTimeoutMs: 30,
    });
    server.addHandler('HELD', () => new Promise(() => undefined));
    const client = new LineConversation(server).send('x'.repeat(9), 'HELD');
    expect(await client.rest()).toEqual([
      'LINE TOO LONG. At most 8 bytes.',
      'NO ANSWER IN TIME.',
      'TIMED OUT.',
    ]);
  });
});

describe('Without listening', () => {
  it('no socket is opened', async () => {
    const before = sockets();
    const { server } = await initialiseWith([EchoController]);
    await server.inject('PING');
    const client = new LineConversation(server).send('PING');
    expect(await client.next()).toBe('PONG');
    expect(sockets()).toEqual(before);
    expect(() => server.unwrap()).toThrow(expect.objectContaining({ code: 'ERR_LINE_LISTEN' }));
    await client.end().rest();
  });

  it('nothing keeps the application from being closed at once', async () => {
    const { app, server } = await initialiseWith([EchoController]);
    await server.inject('QUIT');
    const client = new LineConversation(server).send('QUIT');
    expect(await client.rest()).toEqual([]);
    const started = performance.now();
    await app.close();
    expect(performance.now() - started).toBeLessThan(500);
  });
});

describe('An application under test', () => {
  it('has the options that the test puts in their place', async () => {
    const { server } = await initialise(
      Test.createTestingModule({
        imports: [LineTransportModule.forRoot({ port: 1, greeting: 'hello' })],
        controllers: [EchoController],
      })
        .overrideProvider(LINE_SERVER_OPTIONS)
        .useValue({ ignoreCase: true }),
    );
    expect(await server.inject('ping')).toBe('PONG');
    expect(server.options).toMatchObject({ port: 0, greeting: undefined });
  });

  it('has its providers replaced as with any other transport', async () => {
    const NAME = Symbol('name');

    @Controller()
    class NameController {
      constructor(@Inject(NAME) private readonly name: string) {}

      @Command('NAME')
      tell(): LineReply {
        return this.name;
      }

      @Command('QUIT')
      quit(): LineReply {
        return CLOSE;
      }
    }

    @Module({
      imports: [LineTransportModule.forRoot({})],
      controllers: [NameController],
      providers: [{ provide: NAME, useValue: 'real' }],
    })
    class NameModule {}

    const { server } = await initialise(
      Test.createTestingModule({ imports: [NameModule] })
        .overrideProvider(NAME)
        .useValue('double'),
    );
    expect(await server.inject('NAME')).toBe('double');
  });

  it('may be the time service with a clock that stands still', async () => {
    const clock = new FixedClock('06:14:20');
    const { server } = await initialise(
      Test.createTestingModule({ imports: [LineTransportModule.forRoot(AS_ASKED), TimeModule] })
        .overrideProvider(ClockService)
        .useValue(clock),
    );
    expect(await server.inject('TIME')).toBe('JAM 06:14:20');
    clock.text = '23:59:59';
    expect(await server.inject('TIME')).toBe('JAM 23:59:59');
    expect(await server.inject('QUIT')).toBe('');
  });

  it('may be the whole service, its settings and its words included', async () => {
    const { server } = await initialise(
      Test.createTestingModule({ imports: [AppModule] })
        .overrideProvider(ClockService)
        .useValue(new FixedClock('06:14:20'))
        .overrideProvider(settings.KEY)
        .useValue(readSettings({ LOG_LEVEL: 'silent', MAX_LINE_BYTES: '16' })),
    );
    expect(await server.inject('TIME')).toBe('JAM 06:14:20');
    expect(await server.inject('NOPE')).toBe('PERINTAH TIDAK DIKENALI. Gunakan TIME atau QUIT.');
    const client = new LineConversation(server).send('TIME', 'QUIT', 'TIME');
    expect(await client.rest()).toEqual(['JAM 06:14:20']);
    expect(await server.inject('x'.repeat(17))).toBe('BARIS TERLALU PANJANG. Maksimal 16 byte.');
  });
});
