/** What was made for a line in request scope is left to the garbage collector when the line is answered. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Controller, Inject, Injectable, Scope } from '@nestjs/common';
import { CONTEXT, type RequestContext } from '@nestjs/microservices';
import { expect, it, vi } from 'vitest';
import { Command, type LineContext, type LineReply } from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { prepareLineApplication } from '../support/talk.js';

const LINES = 5_000;
/** The latest may still be known to the connection, or to the interpreter. */
const LATEST = 50;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const made: Record<'controller' | 'account' | 'context', WeakRef<object>[]> = {
  controller: [],
  account: [],
  context: [],
};

const alive = (what: keyof typeof made): number =>
  made[what].filter((each) => each.deref() !== undefined).length;

@Injectable({ scope: Scope.REQUEST })
class Account {
  constructor(@Inject(CONTEXT) readonly request: RequestContext<string, LineContext>) {
    made.account.push(new WeakRef(this));
    made.context.push(new WeakRef(request.getContext()));
  }
}

@Controller()
class AccountController {
  constructor(private readonly account: Account) {
    made.controller.push(new WeakRef(this));
  }

  @Command('LINE')
  line(): LineReply {
    return this.account.request.getContext().line;
  }

  @Command('FAIL')
  fail(): LineReply {
    throw new Error('hidden');
  }
}

it('Thousands of lines on one connection leave nothing behind while it is open', async () => {
  const server = await prepareLineApplication([AccountController], [Account]);
  server.on('handlerError', () => undefined);
  const client = new LineConversation(server);
  for (let sent = 0; sent < LINES; sent += 2) {
    client.send('LINE', 'FAIL');
    expect(await client.next()).toBe('LINE');
    expect(await client.next()).toBe('SERVER ERROR.');
  }
  expect(made.controller).toHaveLength(LINES);
  await vi.waitUntil(
    () => {
      collectGarbage();
      return Math.max(alive('controller'), alive('account'), alive('context')) < LATEST;
    },
    { timeout: 15_000 },
  );
  expect(await client.send('LINE').end().rest()).toEqual(['LINE']);
});
