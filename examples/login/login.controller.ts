/** LoginController: one connection is one session, from LOGIN to LOGOUT or to its end. A name has one session at a time. */
import { Controller, UseGuards } from '@nestjs/common';
import { Ctx, RpcException } from '@nestjs/microservices';
import {
  Arg,
  ClosingException,
  Command,
  type LineConnection,
  LineContext,
  type LineReply,
  OnDisconnect,
} from '../../src/line-transport/index.js';
import { Accounts } from './accounts.service.js';
import { LoggedInGuard, type LoginSession } from './logged-in.guard.js';

@Controller()
export class LoginController {
  readonly #present = new Set<string>();

  constructor(private readonly accounts: Accounts) {}

  @Command('LOGIN', { args: ['name', 'password'] })
  async login(
    @Ctx() { connection, session }: LineContext<LoginSession>,
    @Arg('name') name: string,
    @Arg('password') password: string,
  ): Promise<LineReply> {
    if (session.user !== undefined) throw new RpcException('LOGOUT first');
    if (!(await this.accounts.allow(name, password))) {
      session.failures = (session.failures ?? 0) + 1;
      throw new (session.failures < 3 ? RpcException : ClosingException)('wrong name or password');
    }
    if (this.#present.has(name)) throw new RpcException(`${name} is here already`);
    if (connection.over) return; // it went away while its password was checked
    this.#present.add(name);
    Object.assign(session, { user: name, failures: 0 });
    return `WELCOME ${name}`;
  }

  @Command('WHOAMI')
  @UseGuards(LoggedInGuard)
  whoAmI(@Ctx() { session }: LineContext<LoginSession>): LineReply {
    return session.user;
  }

  @Command('LOGOUT')
  @UseGuards(LoggedInGuard)
  logout(@Ctx() { connection }: LineContext): LineReply {
    this.leave(connection);
    return 'BYE';
  }

  @OnDisconnect()
  leave({ session }: LineConnection<LoginSession>): void {
    if (session.user !== undefined) this.#present.delete(session.user);
    delete session.user;
  }
}
