/** Durable providers: one for each tenant, who is known by the session of the connection. */
import { Controller, Inject, Injectable, Scope } from '@nestjs/common';
import {
  type ContextId,
  type ContextIdStrategy,
  ContextIdFactory,
  createContextId,
  type HostComponentInfo,
} from '@nestjs/core';
import { CONTEXT, Ctx, type RequestContext } from '@nestjs/microservices';
import { beforeEach, describe, expect, it } from 'vitest';
import { Arg, Command, LineContext, type LineReply } from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { prepareLineApplication, talk } from '../support/talk.js';

interface Tenancy {
  tenant: string;
}

/** It stays in force for as long as the process: this file is alone in its own. */
class ByTenant implements ContextIdStrategy<RequestContext<unknown, LineContext<Tenancy>>> {
  readonly #tenants = new Map<string, ContextId>();

  attach(contextId: ContextId, request: RequestContext<unknown, LineContext<Tenancy>>) {
    const { tenant = 'nobody' } = request.getContext().session;
    const known = this.#tenants.get(tenant) ?? createContextId();
    this.#tenants.set(tenant, known);
    return {
      resolve: (info: HostComponentInfo) => (info.isTreeDurable ? known : contextId),
      payload: { tenant },
    };
  }
}

let made: string[] = [];

@Injectable({ scope: Scope.REQUEST, durable: true })
class TenantStore {
  readonly values: string[] = [];

  constructor(@Inject(CONTEXT) readonly owner: Tenancy) {
    made.push(owner.tenant);
  }
}

@Controller({ scope: Scope.REQUEST, durable: true })
class StoreController {
  constructor(private readonly store: TenantStore) {}

  @Command('PUT', { args: ['value'] })
  put(@Arg('value') value: string): LineReply {
    this.store.values.push(value);
    return `${this.store.owner.tenant}: ${this.store.values.join(' ')}`;
  }
}

@Controller()
class LoginController {
  @Command('LOGIN', { args: ['tenant'] })
  login(@Arg('tenant') tenant: string, @Ctx() { session }: LineContext<Tenancy>): LineReply {
    session.tenant = tenant;
    return 'OK';
  }
}

describe('A durable provider', () => {
  beforeEach(() => {
    made = [];
    ContextIdFactory.apply(new ByTenant());
  });

  it('is made once for each tenant, and outlives lines and connections', async () => {
    const server = await prepareLineApplication([StoreController, LoginController], [TenantStore]);
    expect(await talk(server, 'LOGIN ada', 'PUT 1', 'PUT 2')).toEqual(['OK', 'ada: 1', 'ada: 1 2']);
    expect(await talk(server, 'LOGIN bob', 'PUT 3')).toEqual(['OK', 'bob: 3']);
    expect(await talk(server, 'LOGIN ada', 'PUT 4')).toEqual(['OK', 'ada: 1 2 4']);
    expect(made).toEqual(['ada', 'bob']);
  });

  it('is that of the tenant that the session names when the line comes', async () => {
    const server = await prepareLineApplication([StoreController, LoginController], [TenantStore]);
    const ada = new LineConversation(server).send('LOGIN ada', 'PUT 1');
    const bob = new LineConversation(server).send('LOGIN bob', 'PUT 2', 'LOGIN ada', 'PUT 3').end();
    expect(await ada.next()).toBe('OK');
    expect(await ada.next()).toBe('ada: 1');
    expect(await bob.rest()).toEqual(['OK', 'bob: 2', 'OK', 'ada: 1 3']);
    expect(await ada.send('PUT 4').end().rest()).toEqual(['ada: 1 3 4']);
    expect(made).toEqual(['ada', 'bob']);
  });

  it('leaves providers of plain request scope to be made for each line', async () => {
    @Controller({ scope: Scope.REQUEST })
    class FreshController {
      #calls = 0;

      constructor(private readonly store: TenantStore) {}

      @Command('CALL')
      call(): LineReply {
        this.store.values.push('call');
        return `${++this.#calls} of ${this.store.values.length}`;
      }
    }

    const server = await prepareLineApplication([FreshController], [TenantStore]);
    expect(await talk(server, 'CALL', 'CALL')).toEqual(['1 of 1', '1 of 2']);
  });
});
