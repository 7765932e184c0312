/**
 * ChatController: what one says, everyone else is told without having asked. Who takes no name is told nothing.
 */
import { Controller } from '@nestjs/common';
import { Ctx, RpcException } from '@nestjs/microservices';
import {
  Arg,
  Args,
  CLOSE,
  Command,
  type LineConnection,
  LineContext,
  type LineReply,
  LineServer,
  OnConnect,
  OnDisconnect,
} from '../../src/line-transport/index.js';

interface Guest {
  name: string;
}

@Controller()
export class ChatController {
  constructor(private readonly server: LineServer) {}

  @OnConnect()
  greet(): LineReply {
    return `HELLO. ${this.#guests().length} are here. NAME <name>, SAY <text> or QUIT.`;
  }

  @Command('NAME', { args: ['name'] })
  name(@Arg('name') name: string, @Ctx() { connection, session }: LineContext<Guest>): LineReply {
    if (session.name !== undefined) throw new RpcException(`you are ${session.name}`);
    if (!/^\w{1,16}$/.test(name)) throw new RpcException('a name is 1 to 16 letters or digits');
    if (this.#guests().some((guest) => guest.session.name === name)) {
      throw new RpcException(`${name} is here already`);
    }
    session.name = name;
    this.#tellOthers(connection, `* ${name} is here`);
    return `WELCOME ${name}`;
  }

  /** The rest of the line is the text, quotes and all; what would steer the terminals of others is not. */
  @Command('SAY', { args: 'rest' })
  say(@Args() text: string, @Ctx() { connection, session }: LineContext<Guest>): LineReply {
    if (session.name === undefined) throw new RpcException('NAME <name> first');
    return this.#tellOthers(connection, `${session.name}: ${text.replaceAll(/\p{Cc}/gu, ' ')}`);
  }

  @Command('QUIT')
  quit(): LineReply {
    return CLOSE;
  }

  @OnDisconnect()
  leave(connection: LineConnection<Guest>): void {
    const { name } = connection.session;
    if (name !== undefined) this.#tellOthers(connection, `* ${name} has gone`);
  }

  /** A client that does not read is not told, rather than that what it is told piles up: `push` answers `false`. */
  #tellOthers(from: LineConnection<Guest>, line: string): LineReply {
    const others = this.#guests().filter(({ id }) => id !== from.id);
    return `TOLD ${others.filter((guest) => guest.push(line)).length}`;
  }

  #guests(): LineConnection<Guest>[] {
    return [...this.server.connections].filter(({ session }) => session['name'] !== undefined);
  }
}
