/** An application that answers HTTP and lines, and perhaps Nest's own TCP too: what each of them is given. */
import { once } from 'node:events';
import type { AddressInfo, Server as NetServer } from 'node:net';
import {
  type ArgumentsHost,
  type CallHandler,
  Controller,
  type ExecutionContext,
  Get,
  HttpException,
  type INestApplication,
  type INestMicroservice,
  type Provider,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { firstValueFrom, map } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  Args,
  Command,
  LineServer,
  LineTransportModule,
  type LineReply,
  OnConnect,
} from '../../src/line-transport/index.js';
import { AS_ASKED } from '../support/dispatch.js';
import { TestClient } from '../support/line-client.js';
import { talk } from '../support/talk.js';

@Controller()
class SayController {
  @Command('SAY', { args: 'rest' })
  say(@Args() word: string): LineReply {
    if (word === 'fail') throw new Error('hidden');
    return word;
  }
}

const guard = {
  canActivate: (context: ExecutionContext) => context.switchToRpc().getData<string>() !== 'secret',
};
const pipe = { transform: (value: unknown) => (value === 'hello' ? 'hallo' : value) };
const interceptor = {
  intercept: (_: ExecutionContext, next: CallHandler<unknown>) =>
    next.handle().pipe(map((reply) => `<${String(reply)}>`)),
};
const filter = {
  catch: (exception: Error, host: ArgumentsHost) =>
    exception.message === 'hidden' ? `sorry, says ${host.getType()}` : exception.message,
};

const PROVIDED: Provider[] = [
  { provide: APP_GUARD, useValue: guard },
  { provide: APP_PIPE, useValue: pipe },
  { provide: APP_INTERCEPTOR, useValue: interceptor },
  { provide: APP_FILTER, useValue: filter },
];

async function createHybrid(
  controllers: Type[],
  providers: Provider[] = [],
): Promise<{ app: INestApplication; server: LineServer }> {
  const module = await Test.createTestingModule({
    imports: [
      LineTransportModule.forRoot({ ...AS_ASKED, host: '127.0.0.1', shutdownGraceMs: 200 }),
    ],
    controllers,
    providers,
  }).compile();
  const app = module.createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  return { app, server: app.get(LineServer) };
}

function useGlobally(app: INestApplication | INestMicroservice): void {
  app.useGlobalGuards(guard);
  app.useGlobalPipes(pipe);
  app.useGlobalInterceptors(interceptor);
  app.useGlobalFilters(filter);
}

/** What the client is told who says hello, secret and fail. */
const talkTo = (server: LineServer) => talk(server, 'SAY hello', 'SAY secret', 'SAY fail');
const ENHANCED = ['<hallo>', 'Forbidden resource', 'sorry, says rpc'];
const PLAIN = ['hello', 'secret', 'SERVER ERROR.'];

describe('The global enhancers of a hybrid application', () => {
  it('apply to lines if they inherit its configuration', async () => {
    const { app, server } = await createHybrid([SayController]);
    useGlobally(app);
    app.connectMicroservice({ strategy: server }, { inheritAppConfig: true });
    await app.init();
    expect(await talkTo(server)).toEqual(ENHANCED);
  });

  it('do not apply to lines otherwise', async () => {
    const { app, server } = await createHybrid([SayController]);
    useGlobally(app);
    app.connectMicroservice({ strategy: server });
    await app.init();
    expect(await talkTo(server)).toEqual(PLAIN);
  });

  it('apply by the same rule when they are provided', async () => {
    for (const inheritAppConfig of [true, false]) {
      const { app, server } = await createHybrid([SayController], PROVIDED);
      app.connectMicroservice({ strategy: server }, { inheritAppConfig });
      await app.init();
      expect(await talkTo(server)).toEqual(inheritAppConfig ? ENHANCED : PLAIN);
    }
  });

  it('may be given to the lines alone, before these are initialised', async () => {
    const { app, server } = await createHybrid([SayController]);
    const lines = app.connectMicroservice<object>(
      { strategy: server },
      { deferInitialization: true },
    );
    useGlobally(lines);
    await app.init();
    await lines.init();
    expect(await talkTo(server)).toEqual(ENHANCED);
  });
});

describe('In a hybrid application', () => {
  @Controller()
  class BothController {
    @Get('say')
    get(): string {
      throw new HttpException('Not today.', 418);
    }

    @Command('SAY')
    say(): LineReply {
      throw new HttpException('Not today.', 418);
    }

    @OnConnect()
    greet(): LineReply {
      return 'WELCOME';
    }
  }

  it('HTTP and lines are served by one controller, each in its own way, also over their sockets', async () => {
    const { app, server } = await createHybrid([BothController]);
    app.connectMicroservice({ strategy: server }, { inheritAppConfig: true });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const { port } = server.unwrap().address() as AddressInfo;
    const client = await TestClient.connect(port);
    expect(await client.end('SAY\n').transcript()).toBe('WELCOME\r\nERROR: Not today.\r\n');
    const response = await fetch(`${await app.getUrl()}/say`);
    expect(response.status).toBe(418);
    expect(await response.json()).toEqual({ statusCode: 418, message: 'Not today.' });
  });

  it('closing the application closes the lines, and answers what has arrived', async () => {
    const { app, server } = await createHybrid([BothController]);
    app.connectMicroservice({ strategy: server });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const { port } = server.unwrap().address() as AddressInfo;
    const client = await TestClient.connect(port);
    expect(await client.line()).toBe('WELCOME');
    const arrived = new Promise((resolve) => server.on('request', resolve));
    client.send('SAY\n');
    await arrived;
    await app.close();
    expect(await client.transcript()).toBe('ERROR: Not today.\r\n');
    expect(server.connections.size).toBe(0);
  });
});

describe('Beside another transport', () => {
  @Controller()
  class SharedController {
    @Command('LINES ONLY')
    linesOnly(): LineReply {
      return 'only lines';
    }

    @MessagePattern('TCP ONLY', Transport.TCP)
    tcpOnly(): string {
      return 'only TCP';
    }

    @MessagePattern('ANY')
    any(): string {
      return 'any';
    }
  }

  async function startBoth() {
    const { app, server } = await createHybrid([SharedController]);
    app.connectMicroservice({ strategy: server });
    const tcp = app.connectMicroservice<object>({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port: 0 },
    });
    await app.startAllMicroservices();
    const { port } = tcp.unwrap<NetServer>().address() as AddressInfo;
    const client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
    });
    onTestFinished(() => client.close());
    const ask = (pattern: string) => firstValueFrom(client.send<unknown>(pattern, ''));
    return { server, ask };
  }

  it('a @Command is answered to lines only', async () => {
    const { server, ask } = await startBoth();
    expect(await server.inject('LINES ONLY')).toBe('only lines');
    await expect(ask('LINES ONLY')).rejects.toMatch(/no matching message handler/);
  });

  it('a handler of that transport is not answered to lines', async () => {
    const { server, ask } = await startBoth();
    expect(await ask('TCP ONLY')).toBe('only TCP');
    expect(await server.inject('TCP ONLY')).toBe('UNKNOWN COMMAND. Use LINES ONLY or ANY.');
  });

  it('a handler that names no transport is answered to both', async () => {
    const { server, ask } = await startBoth();
    expect(await server.inject('ANY')).toBe('any');
    expect(await ask('ANY')).toBe('any');
  });

  it('each closes with the application', async () => {
    const { app, server } = await createHybrid([SharedController]);
    app.connectMicroservice({ strategy: server });
    await app.startAllMicroservices();
    const closed = once(server.unwrap(), 'close');
    await app.close();
    await closed;
  });
});
