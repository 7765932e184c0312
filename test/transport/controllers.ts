/**
 * Controllers for the transport's tests: one command for each kind of answer.
 */
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { from, NEVER, of } from 'rxjs';
import {
  CLOSE,
  closeWith,
  Command,
  LineContext,
  type LineReply,
  type LineStream,
  UnknownCommand,
} from '../../src/line-transport/index.js';
import { failsAfter } from '../support/fails-after.js';

/** Holds answers back until the test lets them go. */
export class Gate {
  #open!: () => void;
  #passed = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  pass(): Promise<void> {
    return this.#passed;
  }

  open(): void {
    this.#open();
  }
}

@Controller()
export class EchoController {
  #count = 0;

  @Command('PING')
  ping(): LineReply {
    return 'PONG';
  }

  /** Shows order: each call answers the next number. */
  @Command('NEXT')
  next(): LineReply {
    return ++this.#count;
  }

  /** Slower than any neighbour, but not by a timer. */
  @Command('SLOW')
  async slow(): Promise<LineReply> {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    return 'SLOW';
  }

  @Command('QUIT')
  quit(): LineReply {
    return CLOSE;
  }

  @Command('BYE')
  bye(): LineReply {
    return closeWith('See you', 'soon');
  }
}

@Controller()
export class AnswersController {
  @Command('NUMBER')
  number(): LineReply {
    return 42;
  }

  @Command('BOOLEAN')
  boolean(): LineReply {
    return true;
  }

  @Command('LINES')
  lines(): LineReply {
    return ['one', 'two', ''];
  }

  @Command('NOTHING')
  nothing(): void {}

  @Command('EMPTY')
  empty(): LineReply {
    return '';
  }

  @Command('PROMISE')
  promise(): Promise<LineReply> {
    return Promise.resolve('kept');
  }

  @Command('OBSERVABLE')
  observable(): LineStream {
    return of<LineReply[]>('one', ['two', 'three'], undefined, 4);
  }

  @Command('ITERABLE')
  async *iterable(): AsyncGenerator<LineReply> {
    yield 'one';
    yield await Promise.resolve('two');
  }

  @Command('PROMISED STREAM')
  async promisedStream(): Promise<LineStream> {
    return Promise.resolve(of('one', 'two'));
  }

  @Command('STREAM AND CLOSE')
  streamAndClose(): LineStream {
    return from([of('one'), of(CLOSE), of('never')] as never[]);
  }

  @Command('FORGE')
  forge(): LineReply {
    return ['a\r\nJAM 00:00:00', 'b\nc\rd\0e'];
  }

  @Command('OBJECT')
  object(): never {
    return { secret: 1 } as never;
  }

  @Command('SYMBOL')
  symbol(): never {
    return ['fine', Symbol('odd')] as never;
  }

  @Command('THROW')
  throw(): LineReply {
    throw new Error('secret: password is 123');
  }

  @Command('REJECT')
  reject(): Promise<LineReply> {
    return Promise.reject(new Error('secret'));
  }

  @Command('LATE')
  late(): LineStream {
    return failsAfter('fine', 'secret');
  }

  @Command('ITERABLE FAILS')
  async *iterableFails(): AsyncGenerator<LineReply> {
    yield await Promise.resolve('fine');
    throw new Error('secret');
  }

  @Command('HANG')
  hang(): LineStream {
    return NEVER;
  }

  @Command('WHO')
  who(@Ctx() context: LineContext): LineReply {
    const { id, remoteAddress, remotePort } = context.connection;
    return `${context.getPattern()} ${context.line} ${id} ${remoteAddress} ${remotePort}`;
  }
}

@Controller()
export class FallbackController {
  @Command('PING')
  ping(): LineReply {
    return 'PONG';
  }

  @UnknownCommand()
  unknown(@Payload() line: string): LineReply {
    return `what is ${line}?`;
  }
}

/** The shortest method of each kind of answer, for classes that say what is around them. */
export class EveryAnswer {
  @Command('LINE')
  line(): LineReply {
    return 'one';
  }

  @Command('LINES')
  lines(): LineReply {
    return ['one', 'two'];
  }

  @Command('PROMISE')
  promise(): Promise<LineReply> {
    return Promise.resolve('one');
  }

  @Command('STREAM')
  stream(): LineStream {
    return of('one', 'two');
  }

  @Command('ITERABLE')
  async *iterable(): AsyncGenerator<LineReply> {
    yield 'one';
    yield await Promise.resolve('two');
  }

  @Command('NOTHING')
  nothing(): void {}

  @Command('CLOSE')
  close(): LineReply {
    return CLOSE;
  }

  @Command('FAIL')
  fail(): LineReply {
    throw new Error('hidden');
  }

  @Command('LATE')
  late(): LineStream {
    return failsAfter('one', 'hidden');
  }
}
