/**
 * One command for each way in which a handler can answer, and fail to. What they say is in model.ts once more, in its own words.
 */
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, RpcException } from '@nestjs/microservices';
import { Observable, of } from 'rxjs';
import {
  CLOSE,
  ClosingException,
  closeWith,
  Command,
  LineContext,
  type LineReply,
  type LineStream,
} from '../../src/line-transport/index.js';
import { failsAfter } from '../support/fails-after.js';

/** Holds handlers back until the test gives them leave, one after the other. */
export class Leave {
  #left = 0;
  readonly #waiting = new Set<() => void>();

  /** How many are held back. */
  get waiting(): number {
    return this.#waiting.size;
  }

  give(count: number): void {
    this.#left += count;
    this.#go();
  }

  /** Neither leave nor anyone who waits for it is left over for the next conversation. */
  reset(): void {
    this.#left = 0;
    this.#waiting.clear();
  }

  /** Fails when nobody waits for the line any more. */
  async wait(signal: AbortSignal): Promise<void> {
    let stop = (): void => undefined;
    await new Promise<void>((resolve, reject) => {
      stop = () => {
        this.#waiting.delete(resolve);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', stop);
      this.#waiting.add(resolve);
      if (signal.aborted) stop();
      this.#go();
    });
    signal.removeEventListener('abort', stop);
  }

  #go(): void {
    for (const resolve of this.#waiting) {
      if (this.#left === 0) return;
      this.#left--;
      this.#waiting.delete(resolve);
      resolve();
    }
  }
}

export const leave = new Leave();

/** Streams that were begun and not ended. */
export const streams = { open: 0 };

async function* stream(...replies: (LineReply | Error)[]): AsyncGenerator<LineReply> {
  streams.open++;
  try {
    for (const reply of replies) {
      if (reply instanceof Error) throw reply;
      yield reply;
    }
  } finally {
    streams.open--;
  }
}

/** Waits for leave before each of its replies. */
async function* held(signal: AbortSignal, ...replies: LineReply[]): AsyncGenerator<LineReply> {
  streams.open++;
  try {
    for (const reply of replies) {
      await leave.wait(signal);
      yield reply;
    }
  } finally {
    streams.open--;
  }
}

@Controller()
export class FaultController {
  @Command('PING')
  ping(): LineReply {
    return 'PONG';
  }

  @Command('LATER')
  async later(): Promise<LineReply> {
    await Promise.resolve();
    return 'LATER';
  }

  @Command('HELD')
  async held(@Ctx() { signal }: LineContext): Promise<LineReply> {
    await leave.wait(signal);
    return 'HELD';
  }

  @Command('NEVER')
  never(): Promise<LineReply> {
    return new Promise(() => undefined);
  }

  @Command('MANY')
  many(): LineReply {
    return ['one', 'two\r\nthree'];
  }

  @Command('NOTHING')
  nothing(): LineReply {
    return undefined;
  }

  @EventPattern('NOTE')
  note(_line: string): string {
    return 'not said';
  }

  @Command('LONG')
  long(): LineReply {
    return 'l'.repeat(3_000);
  }

  @Command('THROW')
  throw(): LineReply {
    throw new Error('secret');
  }

  @Command('REJECT')
  async reject(): Promise<LineReply> {
    await Promise.resolve();
    throw new Error('secret');
  }

  @Command('SYMBOL')
  symbol(): LineReply {
    return Symbol('secret') as never;
  }

  @Command('OBJECT')
  object(): LineReply {
    return { secret: true } as never;
  }

  @Command('REFUSE')
  refuse(): LineReply {
    throw new RpcException('no');
  }

  @Command('EMIT')
  emit(): LineStream {
    return of('e1', 'e2');
  }

  @Command('BURST')
  burst(): LineStream {
    return failsAfter('b1', 'secret');
  }

  @Command('LIST')
  list(): LineStream {
    return stream('l1', ['l2', 'l3']);
  }

  @Command('FLOOD')
  flood(): LineStream {
    return stream(...Array.from({ length: 30 }, () => 'f'.repeat(98)));
  }

  @Command('BREAK')
  break(): LineStream {
    return stream('k1', new Error('secret'));
  }

  @Command('LAST')
  last(): LineStream {
    return stream('a1', CLOSE, 'not said');
  }

  @Command('DRIP')
  drip(@Ctx() { signal }: LineContext): LineStream {
    return held(signal, 'd1', 'd2');
  }

  @Command('PART')
  part(@Ctx() { signal }: LineContext): LineStream {
    return held(signal, 'p1', CLOSE, 'not said');
  }

  @Command('TICK')
  tick(@Ctx() { signal }: LineContext): LineStream {
    return new Observable<LineReply>((client) => {
      streams.open++;
      const say = async (): Promise<void> => {
        for (const reply of ['t1', 't2']) {
          await leave.wait(signal);
          client.next(reply);
        }
        client.complete();
      };
      say().catch((error: unknown) => client.error(error));
      return () => streams.open--;
    });
  }

  @Command('QUIT')
  quit(): LineReply {
    return CLOSE;
  }

  @Command('BYE')
  bye(): LineReply {
    return closeWith('See you', 'soon');
  }

  @Command('AWAY')
  away(): LineReply {
    throw new ClosingException('away');
  }
}
