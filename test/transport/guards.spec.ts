/** Guards of lines: what they are given, how they decide, and how a handler learns what they found out. */
import {
  type CanActivate,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  ForbiddenException,
  Injectable,
  SetMetadata,
  UnauthorizedException,
  UseGuards,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Ctx } from '@nestjs/microservices';
import { of, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  Arg,
  ClosingException,
  Command,
  LineContext,
  type LineReply,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { prepareLineApplication, talk } from '../support/talk.js';

interface Member {
  name: string;
}

const Role = Reflector.createDecorator<string>();
const CurrentUser = createParamDecorator(
  (property: keyof Member | undefined, context: ExecutionContext) => {
    const { session } = context.switchToRpc().getContext<LineContext<Member>>();
    return property === undefined ? session : session[property];
  },
);

/** Lets in those who have said their names, and takes notice of what a method demands. */
@Injectable()
class MemberGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const { session } = context.switchToRpc().getContext<LineContext<Member>>();
    if (session.name === undefined) throw new UnauthorizedException('Say LOGIN first.');
    const role = this.reflector.getAllAndOverride(Role, [context.getHandler(), context.getClass()]);
    return role === undefined || role === session.name;
  }
}

@Controller()
class DoorController {
  @Command('LOGIN', { args: ['name'] })
  login(@Arg('name') name: string, @Ctx() { session }: LineContext<Member>): LineReply {
    session.name = name;
    return 'WELCOME';
  }
}

@Role('root')
@UseGuards(MemberGuard)
@Controller()
class RoomController {
  @Role('ada')
  @Command('WRITE')
  write(@CurrentUser('name') name: string): LineReply {
    return `${name} writes`;
  }

  @Command('ERASE')
  erase(@CurrentUser() { name }: Member): LineReply {
    return `${name} erases`;
  }
}

describe('A guard', () => {
  it('reads the session that a handler has written, and the handler reads it after it', async () => {
    const server = await prepareLineApplication([DoorController, RoomController]);
    expect(await talk(server, 'WRITE', 'LOGIN ada', 'WRITE')).toEqual([
      'ERROR: Say LOGIN first.',
      'WELCOME',
      'ada writes',
    ]);
  });

  it('knows one client from another', async () => {
    const server = await prepareLineApplication([DoorController, RoomController]);
    const ada = new LineConversation(server).send('LOGIN ada');
    expect(await ada.next()).toBe('WELCOME');
    expect(await talk(server, 'WRITE')).toEqual(['ERROR: Say LOGIN first.']);
    expect(await ada.send('WRITE').end().rest()).toEqual(['ada writes']);
  });

  it("reads the metadata of a method, and that of its controller where the method's is missing", async () => {
    const server = await prepareLineApplication([DoorController, RoomController]);
    expect(await talk(server, 'LOGIN ada', 'WRITE', 'ERASE')).toEqual([
      'WELCOME',
      'ada writes',
      'ERROR: Forbidden resource',
    ]);
    expect(await talk(server, 'LOGIN root', 'WRITE', 'ERASE')).toEqual([
      'WELCOME',
      'ERROR: Forbidden resource',
      'root erases',
    ]);
  });

  it('is given the line, its payload, and what will answer it', async () => {
    const seen: unknown[] = [];

    @Controller()
    class SeenController {
      @SetMetadata('color', 'red')
      @UseGuards({
        canActivate(context) {
          const rpc = context.switchToRpc();
          const { line, command, connection } = rpc.getContext<LineContext>();
          seen.push(context.getType(), context.getClass(), context.getHandler().name);
          seen.push(rpc.getData(), line, command, connection.remoteAddress);
          return true;
        },
      })
      @Command('SET', { args: ['key', 'value'] })
      set(): LineReply {
        return 'OK';
      }
    }

    const server = await prepareLineApplication([SeenController]);
    expect(await server.inject('SET a 1', { remoteAddress: '192.0.2.1' })).toBe('OK');
    const payload = { key: 'a', value: '1' };
    expect(seen).toEqual(['rpc', SeenController, 'set', payload, 'SET a 1', 'SET', '192.0.2.1']);
  });

  it.each<[string, () => ReturnType<CanActivate['canActivate']>, string]>([
    ['true', () => true, 'done'],
    ['a promise of true', () => Promise.resolve(true), 'done'],
    ['a stream of true', () => of(true), 'done'],
    ['false', () => false, 'ERROR: Forbidden resource'],
    ['a promise of false', () => Promise.resolve(false), 'ERROR: Forbidden resource'],
    ['a stream of false', () => of(false), 'ERROR: Forbidden resource'],
    [
      'a failure',
      () => {
        throw new Error('hidden');
      },
      'SERVER ERROR.',
    ],
    [
      'a promise that is rejected',
      () => Promise.reject(new ForbiddenException('Members only.')),
      'ERROR: Members only.',
    ],
    ['a stream that fails', () => throwError(() => new Error('hidden')), 'SERVER ERROR.'],
  ])(
    'that answers %s gives the client one line, and the next is served',
    async (_, decide, told) => {
      const server = await prepareLineApplication([guardedBy(decide)]);
      expect(await talk(server, 'DO', 'PING')).toEqual([told, 'PONG']);
    },
  );

  it('that throws a ClosingException ends the conversation', async () => {
    const server = await prepareLineApplication([
      guardedBy(() => {
        throw new ClosingException('Go away.');
      }),
    ]);
    expect(await talk(server, 'DO', 'PING')).toEqual(['ERROR: Go away.']);
    expect(server.stats().connections.ended.quit).toBe(1);
  });

  it('that refuses is told as a rejection, and is no failure of the server', async () => {
    const server = await prepareLineApplication([guardedBy(() => false)]);
    await talk(server, 'DO');
    expect(server.stats()).toMatchObject({ rejected: 1, handlerErrors: 0 });
  });
});

function guardedBy(canActivate: CanActivate['canActivate']) {
  @Controller()
  class GuardedController {
    @UseGuards({ canActivate })
    @Command('DO')
    do(): LineReply {
      return 'done';
    }

    @Command('PING')
    ping(): LineReply {
      return 'PONG';
    }
  }
  return GuardedController;
}
