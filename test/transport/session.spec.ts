/** What the application knows of a client: the session of its connection, and the facts of each line. */
import { once } from 'node:events';
import { join } from 'node:path';
import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import type { AddressInfo } from 'node:net';
import type { Observable } from 'rxjs';
import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import {
  Command,
  type LineConnection,
  LineContext,
  type LineReply,
  OnConnect,
  OnDisconnect,
  UnknownCommand,
} from '../../src/line-transport/index.js';
import {
  createLineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
import { TestClient } from '../support/line-client.js';
import { temporaryFolder } from '../support/temporary-folder.js';

interface Visit {
  user: string;
  asked: number;
}

/** Everyone who was shown a session, and which. */
let seen: { by: string; session: object }[] = [];
beforeEach(() => {
  seen = [];
});

function see(by: string, session: object): void {
  seen.push({ by, session });
}

class SeeingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const { session } = context.switchToRpc().getContext<LineContext<Visit>>();
    see('guard', session);
    session.asked = (session.asked ?? 0) + 1;
    return true;
  }
}

class SeeingInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    see('interceptor', context.switchToRpc().getContext<LineContext>().session);
    return next.handle();
  }
}

@Injectable()
class Visits {
  @OnConnect()
  welcome({ session }: LineConnection<Visit>): void {
    see('connect', session);
  }

  @OnDisconnect()
  farewell(connection: LineConnection<Visit>): void {
    see('disconnect', connection.session);
  }
}

@Controller()
class VisitController {
  @UseGuards(SeeingGuard)
  @UseInterceptors(SeeingInterceptor)
  @Command('ASK')
  ask(@Ctx() { session, connection }: LineContext<Visit>): LineReply {
    see('handler', session);
    see('connection', connection.session);
    return session.asked;
  }

  @Command('LOGIN', { args: 'rest' })
  login(@Ctx() { session, line }: LineContext<Visit>): LineReply {
    session.user = line.slice('LOGIN '.length);
    return `Hello, ${session.user}`;
  }

  @Command('WHO AM I')
  whoAmI(@Ctx() { session }: LineContext<Visit>): LineReply {
    return session.user ?? 'nobody';
  }

  @Command('KEYS')
  keys(@Ctx() { session }: LineContext): LineReply {
    return JSON.stringify(session);
  }
}

describe('The session of a connection', () => {
  it('is empty at first', async () => {
    const { connect } = await startLineApplication([VisitController]);
    const client = await connect();
    client.send('KEYS\nWHO AM I\n');
    expect(await client.lines(2)).toEqual(['{}', 'nobody']);
  });

  it('keeps from one line to the next what the application puts there', async () => {
    const { connect } = await startLineApplication([VisitController]);
    const client = await connect();
    client.send('LOGIN ada\nWHO AM I\n');
    expect(await client.lines(2)).toEqual(['Hello, ada', 'ada']);
    client.send('WHO AM I\n');
    expect(await client.line()).toBe('ada');
  });

  it('is the same object for hooks, guards, interceptors and handlers', async () => {
    const { connect, server } = await startLineApplication([VisitController], {}, [Visits]);
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    expect(await client.end('ASK\nASK\n').transcript()).toBe('1\r\n2\r\n');
    await over;
    await expect.poll(() => seen.at(-1)?.by).toBe('disconnect');
    const ask = ['guard', 'interceptor', 'handler', 'connection'];
    expect(seen.map(({ by }) => by)).toEqual(['connect', ...ask, ...ask, 'disconnect']);
    expect(new Set(seen.map(({ session }) => session)).size).toBe(1);
  });

  it('is another for every other connection, at the same time or later', async () => {
    const { connect } = await startLineApplication([VisitController]);
    const [one, other] = [await connect(), await connect()];
    one.send('LOGIN ada\n');
    await one.line();
    other.send('WHO AM I\n');
    expect(await other.line()).toBe('nobody');
    other.send('LOGIN bob\n');
    await other.line();
    one.send('WHO AM I\n');
    expect(await one.line()).toBe('ada');
    await one.end().transcript();
    const later = await connect();
    expect(await later.end('WHO AM I\nKEYS\n').transcript()).toBe('nobody\r\n{}\r\n');
  });

  it('is still there for those who hold its connection when the client has gone', async () => {
    const { connect, server } = await startLineApplication([VisitController]);
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    const [connection] = server.connections;
    client.send('LOGIN ada\n');
    await client.line();
    client.reset();
    await over;
    expect(connection?.session).toEqual({ user: 'ada' });
    expect(server.connections.size).toBe(0);
  });

  it('has the type that the application says, each part of it possibly not there yet', () => {
    expectTypeOf<LineContext<Visit>['session']>().toEqualTypeOf<Partial<Visit>>();
    expectTypeOf<LineContext<Visit>['connection']>().toEqualTypeOf<LineConnection<Visit>>();
    expectTypeOf<LineConnection<Visit>['session']['asked']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<LineContext['session']>().toEqualTypeOf<Partial<Record<string, unknown>>>();
  });
});

@Controller()
class FactsController {
  @Command(['FACTS', 'TELL'])
  facts(@Ctx() context: LineContext): LineReply {
    return [context.command, context.getPattern(), context.line];
  }

  @Command('SET', { args: ['key', 'value'] })
  set(@Ctx() context: LineContext): LineReply {
    return [context.command, context.getPattern(), context.line];
  }

  @Command('WHERE')
  where(@Ctx() { connection }: LineContext): LineReply {
    const { remoteAddress, remotePort, localAddress, localPort } = connection;
    return [remoteAddress, remotePort, localAddress, localPort].map(String);
  }

  @Command('ID')
  id(@Ctx() { connection }: LineContext): LineReply {
    return connection.id;
  }
}

@Controller()
class UnknownController {
  @UnknownCommand()
  unknown(@Ctx() context: LineContext): LineReply {
    return [JSON.stringify(context.command === context.getPattern()), context.line];
  }
}

describe('The context of a line tells', () => {
  it('its command as it was declared, and the line as it was sent, without the blanks around it', async () => {
    const { connect } = await startLineApplication([FactsController]);
    const client = await connect();
    client.send(' \t FACTS \r\nTELL\nSET  a   b \n');
    expect(await client.lines(3)).toEqual(['FACTS', 'FACTS', 'FACTS']);
    expect(await client.lines(3)).toEqual(['TELL', 'TELL', 'TELL']);
    expect(await client.lines(3)).toEqual(['SET', 'SET', 'SET  a   b']);
  });

  it('its command as it was declared also where case is ignored', async () => {
    const { connect } = await startLineApplication([FactsController], { ignoreCase: true });
    const client = await connect();
    client.send('facts\nTell\nset A b\n');
    expect(await client.lines(9)).toEqual([
      'FACTS',
      'FACTS',
      'facts',
      'TELL',
      'TELL',
      'Tell',
      'SET',
      'SET',
      'set A b',
    ]);
  });

  it('of a line that is no command the whole of it', async () => {
    const { connect } = await startLineApplication([UnknownController]);
    const client = await connect();
    client.send(' what  is this \n');
    expect(await client.lines(2)).toEqual(['true', 'what  is this']);
  });

  it('both ends of a connection over IPv4, as the client knows them', async () => {
    const { connect, port } = await startLineApplication([FactsController]);
    const client = await connect();
    client.send('WHERE\n');
    const { localPort } = client.socket;
    expect(await client.lines(4)).toEqual([
      '127.0.0.1',
      String(localPort),
      '127.0.0.1',
      String(port),
    ]);
  });

  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::1', '::1'],
  ])(
    'both ends of a connection to %s where the server listens on every address',
    async (host, address) => {
      const { app } = await createLineApplication([FactsController]);
      const { port }: AddressInfo = await app.listen();
      const client = await TestClient.connect({ host, port });
      client.end('WHERE\n');
      const { localPort } = client.socket;
      expect(await client.lines(4)).toEqual([address, String(localPort), address, String(port)]);
    },
  );

  it('no address of a connection over a Unix domain socket', async () => {
    const path = join(temporaryFolder(), 'socket');
    const { app } = await createLineApplication([FactsController], { path });
    await app.listen();
    const client = await TestClient.connect({ path });
    client.end('WHERE\nID\n');
    expect(await client.lines(5)).toEqual([...Array<string>(4).fill('undefined'), '1']);
  });

  it('the number of its connection: the same for all its lines, and never used again', async () => {
    const { connect } = await startLineApplication([FactsController]);
    const ids: string[] = [];
    for (let round = 0; round < 3; round++) {
      const client = await connect();
      const closed = once(client.socket, 'close');
      ids.push(await client.end('ID\nID\n').transcript());
      await closed;
    }
    expect(ids).toEqual(['1\r\n1\r\n', '2\r\n2\r\n', '3\r\n3\r\n']);
  });

  it('who the client was also when it has gone', async () => {
    const { connect, server } = await startLineApplication([FactsController]);
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    const { localPort } = client.socket;
    client.send('ID\n');
    await client.line();
    client.reset();
    expect((await over)[0]).toMatchObject({
      id: 1,
      over: true,
      remoteAddress: '127.0.0.1',
      remotePort: localPort,
    });
  });
});
