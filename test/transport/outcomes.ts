/**
 * Everything that a handler can answer and everything that it can throw, by name; each is made anew when it is asked for.
 */
import { Readable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  BadRequestException,
  ForbiddenException,
  HttpException,
  IntrinsicException,
} from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { concat, from, of, throwError } from 'rxjs';
import { CLOSE, ClosingException, closeWith, LineError } from '../../src/line-transport/index.js';

type Outcomes = Readonly<Record<string, () => unknown>>;

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function holey(): unknown[] {
  const lines: unknown[] = ['one'];
  lines[2] = 'three';
  return lines;
}

function failing(key: string): object {
  return Object.defineProperty(new Error('hidden'), key, {
    get: () => {
      throw new Error('deeper');
    },
  });
}

async function* yielding(...replies: unknown[]): AsyncGenerator {
  for (const reply of replies) {
    yield reply;
    await nextTurn();
  }
}

export const ANSWERS: Outcomes = {
  text: () => 'text',
  empty: () => '',
  foreign: () => 'wäktu 時間 \u{1f550}',
  half: () => 'half \ud800 pair',
  long: () => 'long '.repeat(200),
  forged: () => 'a\r\nTIME\0b\n',
  number: () => 42,
  none: () => Number.NaN,
  bigint: () => 10n ** 30n,
  boolean: () => false,
  undefined: () => undefined,
  null: () => null,
  lines: () => ['one', 2, true, 'fo\r\nur', 'fünf'],
  frozen: () => Object.freeze(['one', 'two']),
  'no lines': () => [],
  'many lines': () => Array.from({ length: 2_000 }, (_, index) => `line ${index}`),
  close: () => CLOSE,
  'close with': () => closeWith('one', 'two'),
  promise: () => Promise.resolve('kept'),
  'promised lines': async () => nextTurn(['one', 'two']),
  'promised close': async () => nextTurn(CLOSE),
  'promised nothing': async () => nextTurn(),
  // oxlint-disable-next-line unicorn/no-thenable -- it is one
  thenable: () => ({ then: (resolve: (reply: string) => void) => resolve('then') }),
  observable: () => of('one', ['two', 'three'], undefined, 4),
  'empty observable': () => of(),
  'closing observable': () => of('one', CLOSE, 'never'),
  'nested observable': () => from([of('one'), of('two')]),
  'promised observable': async () => nextTurn(of('one', 'two')),
  generator: () => yielding('one', ['two', 'three'], null),
  'empty generator': () => yielding(),
  'closing generator': () => yielding('one', closeWith('two'), 'never'),
  readable: () => Readable.from(['one', 'two']),
  'failing observable': () => concat(of('one'), failingWith('Error')),
  'failing generator': () => throwing(yielding('one'), 'RpcException'),
  'observable of objects': () => of('one', {}, 'never'),
  'generator of symbols': () => yielding('one', Symbol('odd'), 'never'),
  symbol: () => Symbol('odd'),
  'promised symbol': async () => nextTurn(Symbol('odd')),
  function: () => () => 'never',
  object: () => ({ secret: 1 }),
  'frozen object': () => Object.freeze({ secret: 1 }),
  date: () => new Date(0),
  'boxed text': () => Object('boxed'),
  set: () => new Set(['one']),
  holey,
  'lines with objects': () => ['one', {}],
  'lines with symbols': () => ['one', Symbol('odd')],
  'lines in lines': () => ['one', ['two']],
  'close with symbols': () => closeWith('one', Symbol('odd') as never),
  revoked,
  'revoked in lines': () => ['one', revoked()],
  // oxlint-disable-next-line unicorn/no-thenable -- it is none
  'failing then': () => failing('then'),
};

export const ERRORS: Outcomes = {
  Error: () => new Error('hidden'),
  RpcException: () => new RpcException('Not today.'),
  'RpcException of an object': () => new RpcException({ status: 'error', message: 'Not today.' }),
  'RpcException of an error': () => new RpcException(new Error('hidden')),
  'RpcException of lines': () => new RpcException('Not\r\ntoday,\0 étranger.'),
  ClosingException: () => new ClosingException('Go away.'),
  HttpException: () => new HttpException('Gone.', 410),
  'HttpException of the server': () => new HttpException('hidden', 503),
  'HttpException of an error': () => new HttpException(new Error('hidden') as never, 409),
  BadRequestException: () => new BadRequestException(['a is missing', 'b is not text']),
  ForbiddenException: () => new ForbiddenException(),
  IntrinsicException: () => new IntrinsicException('hidden'),
  LineError: () => new LineError('ERR_LINE_REPLY', 'hidden'),
  AbortError: () => new DOMException('hidden', 'AbortError'),
  string: () => 'hidden',
  undefined: () => undefined,
  null: () => null,
  number: () => 0,
  symbol: () => Symbol('hidden'),
  object: () => ({ status: 'error', message: 'hidden' }),
  'frozen object': () => Object.freeze({ message: 'hidden' }),
  'frozen exception': () => Object.freeze(new RpcException('Not today.')),
  'no prototype': () => Object.create(null) as unknown,
  promise: () => Promise.resolve('hidden'),
  observable: () => of('hidden'),
  revoked,
  'failing message': () => failing('message'),
};

/** The ways in which a handler fails. */
export const FAILURES: Readonly<Record<string, (error: string) => unknown>> = {
  throws: (error) => {
    throw made(error);
  },
  rejects: async (error) => {
    throw made(error);
  },
  'rejects later': async (error) => {
    await nextTurn();
    throw made(error);
  },
  'emits it': failingWith,
  'emits it later': (error) => concat(of('one'), failingWith(error)),
  'promises a stream of it': async (error) => nextTurn(failingWith(error)),
  'yields before it': (error) => throwing(yielding('one', 'two'), error),
  'yields nothing before it': (error) => throwing(yielding(), error),
};

function failingWith(error: string) {
  return throwError(() => made(error));
}

async function* throwing(replies: AsyncGenerator, error: string) {
  yield* replies;
  throw made(error);
}

function made(error: string): unknown {
  return ERRORS[error]?.();
}
