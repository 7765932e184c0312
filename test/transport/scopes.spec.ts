/** Request scope and transient scope: who is made anew for a line, and what it knows of the line. */
import {
  Catch,
  Controller,
  type ExceptionFilter,
  Inject,
  Injectable,
  Scope,
  UseFilters,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD, REQUEST } from '@nestjs/core';
import { CONTEXT, EventPattern, type RequestContext } from '@nestjs/microservices';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  Arg,
  Command,
  LineContext,
  type LineReply,
  type LineStream,
  UnknownCommand,
} from '../../src/line-transport/index.js';
import { of } from 'rxjs';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { prepareLineApplication, talk } from '../support/talk.js';

type LineRequest = RequestContext<unknown, LineContext<{ user: string }>>;

let made: string[] = [];
afterEach(() => {
  made = [];
});

describe('In request scope', () => {
  @Injectable({ scope: Scope.REQUEST })
  class Account {
    balance = 0;

    constructor(@Inject(CONTEXT) readonly request: LineRequest) {
      made.push(`account for ${request.getContext().line}`);
    }
  }

  @Injectable()
  class Bank {
    readonly name = 'bank';

    constructor() {
      made.push('bank');
    }
  }

  @Controller()
  class AccountController {
    constructor(
      private readonly account: Account,
      private readonly bank: Bank,
    ) {
      made.push('controller');
    }

    @Command('ADD', { args: ['amount'] })
    add(@Arg('amount') amount: string): LineReply {
      this.account.balance += Number(amount);
      return `${this.bank.name} ${this.account.balance}`;
    }
  }

  @Controller()
  class PingController {
    @Command('PING')
    ping(): LineReply {
      return 'PONG';
    }
  }

  it('a provider and the controllers that need it are made once for each line, and others are not', async () => {
    const server = await prepareLineApplication(
      [AccountController, PingController],
      [Account, Bank],
    );
    expect(made).toEqual(['bank']);
    expect(await talk(server, 'ADD 1', 'PING', 'ADD 2')).toEqual(['bank 1', 'PONG', 'bank 2']);
    expect(made).toEqual([
      'bank',
      'account for ADD 1',
      'controller',
      'account for ADD 2',
      'controller',
    ]);
  });

  it('one line has one instance, wherever it is needed', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class AuditGuard {
      constructor(private readonly account: Account) {}

      canActivate(): boolean {
        this.account.balance += 100;
        return true;
      }
    }

    @UseGuards(AuditGuard)
    @Controller()
    class AuditedController {
      constructor(private readonly account: Account) {}

      @Command('BALANCE')
      balance(): LineReply {
        return this.account.balance;
      }
    }

    const server = await prepareLineApplication([AuditedController], [Account, AuditGuard]);
    expect(await talk(server, 'BALANCE', 'BALANCE')).toEqual(['100', '100']);
    expect(made).toHaveLength(2);
  });

  it('a guard of the whole application is made for each line too', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class CountingGuard {
      constructor(private readonly account: Account) {}

      canActivate(): boolean {
        return this.account.request.getContext().line !== 'SECRET';
      }
    }

    @Controller()
    class OpenController {
      @Command(['OPEN', 'SECRET'])
      open(): LineReply {
        return 'open';
      }
    }

    const server = await prepareLineApplication(
      [OpenController],
      [Account, { provide: APP_GUARD, useClass: CountingGuard }],
    );
    expect(await talk(server, 'OPEN', 'SECRET', 'OPEN')).toEqual([
      'open',
      'ERROR: Forbidden resource',
      'open',
    ]);
    expect(made).toEqual(['account for OPEN', 'account for SECRET', 'account for OPEN']);
  });

  it('lines of many clients that are served at once do not see one another', async () => {
    let letGo: () => void;
    const gate = new Promise<void>((resolve) => {
      letGo = resolve;
    });

    @Controller()
    class SlowController {
      constructor(private readonly account: Account) {}

      @Command('ADD', { args: ['amount'] })
      async add(@Arg('amount') amount: string): Promise<LineReply> {
        await gate;
        this.account.balance += Number(amount);
        return this.account.balance;
      }
    }

    const server = await prepareLineApplication([SlowController], [Account]);
    const told = Array.from({ length: 20 }, (_, index) => talk(server, `ADD ${index}`));
    await vi.waitUntil(() => made.length === 20);
    letGo!();
    expect(await Promise.all(told)).toEqual(told.map((_, index) => [String(index)]));
  });

  it('the answer may be a stream, an event, or that to an unknown command', async () => {
    @Controller()
    class EveryController {
      constructor(private readonly account: Account) {}

      @Command('STREAM')
      stream(): LineStream {
        return of('one', this.account.request.getContext().line);
      }

      @EventPattern('NOTE', { args: 'rest' })
      note(text: string): void {
        made.push(`noted ${text} of ${this.account.request.getContext().line}`);
      }

      @UnknownCommand()
      unknown(): LineReply {
        return `what is ${this.account.request.getContext().line}?`;
      }
    }

    const server = await prepareLineApplication([EveryController], [Account]);
    expect(await talk(server, 'STREAM', 'NOTE it', 'THIS')).toEqual([
      'one',
      'STREAM',
      'what is THIS?',
    ]);
    expect(made).toEqual([
      'account for STREAM',
      'account for NOTE it',
      'noted it of NOTE it',
      'account for THIS',
    ]);
  });

  it.each([
    ['CONTEXT', CONTEXT],
    ['REQUEST', REQUEST],
  ])('%s is the request: pattern, payload and the context of the line', async (_, token) => {
    @Controller({ scope: Scope.REQUEST })
    class RequestController {
      constructor(@Inject(token) private readonly request: LineRequest) {}

      @Command('SET', { args: ['key', 'value'] })
      set(): LineReply {
        const context = this.request.getContext();
        expect(context).toBeInstanceOf(LineContext);
        context.session.user ??= 'ada';
        const { line, connection, session } = context;
        return [
          JSON.stringify([this.request.getPattern(), this.request.getData()]),
          `${line} ${connection.id} ${session.user}`,
        ];
      }
    }

    const server = await prepareLineApplication([RequestController]);
    expect(await talk(server, 'SET a 1')).toEqual([
      '["SET",{"key":"a","value":"1"}]',
      'SET a 1 1 ada',
    ]);
  });

  it('the session is that of the connection, not of the line', async () => {
    @Controller({ scope: Scope.REQUEST })
    class SessionController {
      constructor(@Inject(CONTEXT) private readonly request: LineRequest) {}

      @Command('USER', { args: ['name?'] })
      user(@Arg('name') name: string | undefined): LineReply {
        const { session } = this.request.getContext();
        session.user ??= name ?? 'nobody';
        return session.user;
      }
    }

    const server = await prepareLineApplication([SessionController]);
    expect(await talk(server, 'USER ada', 'USER')).toEqual(['ada', 'ada']);
    expect(await talk(server, 'USER')).toEqual(['nobody']);
  });
});

describe('A provider in request scope that cannot be made', () => {
  class NoAccountError extends Error {}

  @Injectable({ scope: Scope.REQUEST })
  class Account {
    constructor(@Inject(CONTEXT) request: LineRequest) {
      if (request.getContext().session.user === undefined) throw new NoAccountError('hidden');
    }
  }

  @Catch(NoAccountError)
  class NoAccountFilter implements ExceptionFilter {
    catch(): string {
      return 'LOGIN first';
    }
  }

  @Controller()
  class LoginController {
    @Command('LOGIN')
    login(_: string, context?: LineContext<{ user: string }>): LineReply {
      return context === undefined ? 'OK' : 'never';
    }
  }

  @Controller()
  class BareController {
    constructor(readonly account: Account) {}

    @Command('BARE')
    bare(): LineReply {
      return 'never';
    }
  }

  @UseFilters(NoAccountFilter)
  @Controller()
  class FilteredController {
    constructor(readonly account: Account) {}

    @Command('FILTERED')
    filtered(): LineReply {
      return 'never';
    }

    @EventPattern('EVENT')
    event(text: string): void {
      made.push(text);
    }
  }

  it('costs its own line alone', async () => {
    const server = await prepareLineApplication([BareController, LoginController], [Account]);
    const failed = new Promise<unknown>((resolve) => {
      server.on('handlerError', (_connection, _line, error) => resolve(error));
    });
    expect(await talk(server, 'BARE', 'LOGIN')).toEqual(['SERVER ERROR.', 'OK']);
    expect(await failed).toBeInstanceOf(NoAccountError);
  });

  it('is answered by a filter, once', async () => {
    const server = await prepareLineApplication([FilteredController, LoginController], [Account]);
    expect(await talk(server, 'FILTERED', 'LOGIN')).toEqual(['LOGIN first', 'OK']);
    expect(server.stats().handlerErrors).toBe(0);
  });

  it('is not told where nothing is said', async () => {
    const server = await prepareLineApplication([FilteredController, LoginController], [Account]);
    expect(await talk(server, 'EVENT', 'LOGIN')).toEqual(['OK']);
    expect(made).toEqual([]);
  });
});

describe('In transient scope', () => {
  it('each class that needs a provider has its own, for all lines', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Counter {
      count = 0;
    }

    @Controller()
    class FirstController {
      constructor(private readonly counter: Counter) {}

      @Command('FIRST')
      first(): LineReply {
        return ++this.counter.count;
      }
    }

    @Controller()
    class SecondController {
      constructor(private readonly counter: Counter) {}

      @Command('SECOND')
      second(): LineReply {
        return ++this.counter.count;
      }
    }

    const server = await prepareLineApplication([FirstController, SecondController], [Counter]);
    const client = new LineConversation(server).send('FIRST', 'FIRST', 'SECOND', 'FIRST').end();
    expect(await client.rest()).toEqual(['1', '2', '1', '3']);
  });
});
