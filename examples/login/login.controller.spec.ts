/**
 * The login example: who gets in, who does not, and what is left of either.
 */
import { type LoggerService, Logger } from '@nestjs/common';
import { describe, expect, it, onTestFinished } from 'vitest';
import { nextEvent } from '../../test/support/line-application.js';
import { initExample, startExample } from '../../test/support/example.js';
import { LoginModule } from './login.module.js';

const GREETING = 'HELLO. Who is there?';
const WRONG = 'ERROR: wrong name or password';
const USAGE = 'WRONG ARGUMENTS. Use LOGIN <name> <password>.';
const FIRST = 'ERROR: LOGIN <name> <password> first';

describe('The login example', () => {
  it('knows who has logged in, until they log out', async () => {
    const { converse } = await initExample(LoginModule);
    const client = converse();
    client.send('WHOAMI', 'LOGIN ada lovelace', 'WHOAMI', 'LOGIN ada lovelace');
    client.send('LOGOUT', 'WHOAMI', 'LOGOUT').end();
    expect(await client.rest()).toEqual([
      GREETING,
      FIRST,
      'WELCOME ada',
      'ada',
      'ERROR: LOGOUT first',
      'BYE',
      FIRST,
      FIRST,
    ]);
  });

  it.each([
    ['LOGIN ada', USAGE],
    ['LOGIN', USAGE],
    ['LOGIN ada lovelace too', USAGE],
    ['LOGIN ada ""', WRONG],
    ['LOGIN ada Lovelace', WRONG],
    ['LOGIN eve lovelace', WRONG],
    ['LOGIN __proto__ x', WRONG],
    ['LOGIN "" ""', WRONG],
  ])('does not let %s in', async (line, reply) => {
    const { server } = await initExample(LoginModule);
    expect(await server.inject(line)).toBe(reply);
  });

  it('closes the connection at the third wrong password', async () => {
    const { converse } = await initExample(LoginModule);
    const client = converse();
    client.send('LOGIN ada a', 'LOGIN ada b', 'LOGIN ada c', 'LOGIN ada lovelace');
    expect(await client.rest()).toEqual([GREETING, WRONG, WRONG, WRONG]);
  });

  it('counts anew after the right password', async () => {
    const { converse } = await initExample(LoginModule);
    const client = converse();
    client.send('LOGIN ada a', 'LOGIN ada b', 'LOGIN ada lovelace', 'LOGOUT', 'LOGIN ada c');
    client.send('LOGIN ada lovelace').end();
    expect(await client.rest()).toEqual([
      GREETING,
      WRONG,
      WRONG,
      'WELCOME ada',
      'BYE',
      WRONG,
      'WELCOME ada',
    ]);
  });

  it.each(['end', 'disconnect'] as const)(
    'has one session for a name, and lets it go on the %s of a client',
    async (departure) => {
      const { server, converse } = await initExample(LoginModule);
      const first = converse().send('LOGIN ada lovelace');
      expect([await first.next(), await first.next()]).toEqual([GREETING, 'WELCOME ada']);
      expect(await server.inject('LOGIN ada lovelace')).toBe('ERROR: ada is here already');
      const over = nextEvent(server, 'disconnection');
      first[departure]();
      await over;
      expect(await server.inject('LOGIN ada lovelace')).toBe('WELCOME ada');
    },
  );

  it('does not keep the session of a client that goes away while its password is checked', async () => {
    const { server, converse } = await initExample(LoginModule);
    const requested = nextEvent(server, 'request');
    const over = nextEvent(server, 'disconnection');
    const client = converse().send('LOGIN ada lovelace');
    await requested;
    client.disconnect();
    await over;
    expect(await server.inject('LOGIN ada wrong')).toBe(WRONG); // a check takes as long as the first one's
    expect(await server.inject('LOGIN ada lovelace')).toBe('WELCOME ada');
  });

  it('tells nobody a password: neither its session nor the log has it', async () => {
    const logged: unknown[] = [];
    const log = (...entry: unknown[]): void => void logged.push(entry);
    const logger: LoggerService = { log, error: log, warn: log, debug: log, verbose: log };
    const { connect, server } = await startExample(LoginModule);
    Logger.overrideLogger(logger);
    onTestFinished(() => Logger.overrideLogger(false));
    const client = await connect();
    client.send('LOGIN ada "wrong secret"\r\nLOGIN ada lovelace\r\n');
    expect(await client.lines(3)).toEqual([GREETING, WRONG, 'WELCOME ada']);
    const sessions = [...server.connections].map(({ session }) => session);
    expect(sessions).toEqual([{ user: 'ada', failures: 0 }]);
    expect(JSON.stringify(logged)).not.toMatch(/secret|lovelace/);
  });
});
