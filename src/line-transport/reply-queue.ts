/**
 * ReplyQueue: who waits for which line. A line protocol has no ids: replies come in the order of the requests, so the
 * waiting are a queue. Knows nothing of sockets.
 */
import type { WritePacket } from '@nestjs/microservices';
import { Fifo } from './fifo.js';
import type { IsLastLine } from './line-client-options.js';
import { LineError } from './line-errors.js';

/** Is told each line of a reply, and with `isDisposed` or an error that there will be no more. */
export type ReplyListener = (packet: WritePacket<string>) => void;

interface Waiter {
  readonly request: string;
  /** `undefined` once nobody listens; the waiter keeps its place, so that its reply reaches nobody else. */
  listener: ReplyListener | undefined;
  linesReceived: number;
  timeout: NodeJS.Timeout | undefined;
}

export class ReplyQueue {
  readonly #waiters = new Fifo<Waiter>();
  readonly #timeoutMs: number;
  readonly #isLastLine: IsLastLine;
  readonly #onOverdue: (error: LineError) => void;

  /**
   * @param options how long a reply may take (0 is for ever), and where it ends
   * @param onOverdue is told when a reply that is late does not come at all: it will never be known again whose a line is
   */
  constructor(
    options: { readonly requestTimeoutMs: number; readonly isLastLine: IsLastLine },
    onOverdue: (error: LineError) => void,
  ) {
    this.#timeoutMs = options.requestTimeoutMs;
    this.#isLastLine = options.isLastLine;
    this.#onOverdue = onOverdue;
  }

  /** How many replies the server owes, also those that nobody listens to any more. */
  get length(): number {
    return this.#waiters.length;
  }

  /** Waits for the reply to a request. Returns what makes its listener deaf. */
  add(request: string, listener: ReplyListener): () => void {
    const waiter: Waiter = { request, listener, linesReceived: 0, timeout: undefined };
    if (this.#timeoutMs > 0) {
      waiter.timeout = setTimeout(() => this.#late(waiter), this.#timeoutMs);
    }
    this.#waiters.push(waiter);
    return () => {
      waiter.listener = undefined;
    };
  }

  /**
   * Gives a line to whose turn it is; `false` if nobody waits. An error if `isLastLine` fails: nobody can tell then whose
   * the next line is.
   */
  receive(line: string): boolean | LineError {
    const waiter = this.#waiters.first;
    if (waiter === undefined) return false;
    const isLast = this.#isLast(waiter, line);
    if (isLast instanceof LineError) return isLast;
    if (!isLast) {
      waiter.listener?.({ response: line });
      return true;
    }
    this.#waiters.shift();
    letGo(waiter)?.({ response: line, isDisposed: true });
    return true;
  }

  /** Tells everybody that no reply will come. */
  fail(error: LineError): void {
    for (const waiter of this.#waiters.clear()) letGo(waiter)?.({ err: error });
  }

  #late(waiter: Waiter): void {
    letGo(waiter)?.({ err: timeoutError(waiter.request, this.#timeoutMs) });
    waiter.timeout = setTimeout(() => {
      this.#onOverdue(overdueError(waiter.request, this.#timeoutMs));
    }, this.#timeoutMs);
  }

  #isLast(waiter: Waiter, line: string): boolean | LineError {
    try {
      return this.#isLastLine(line, waiter.linesReceived++, waiter.request);
    } catch (cause) {
      const message = `isLastLine failed on the reply to ${commandOf(waiter.request)}: the connection is cut.`;
      return new LineError('ERR_LINE_CLOSED', message, { cause });
    }
  }
}

/** Makes the waiter deaf; returns who listened. */
function letGo(waiter: Waiter): ReplyListener | undefined {
  const { listener } = waiter;
  clearTimeout(waiter.timeout);
  waiter.listener = undefined;
  return listener;
}

function timeoutError(request: string, timeoutMs: number): LineError {
  const message = `The reply to ${commandOf(request)} was not complete within ${timeoutMs} ms.`;
  return new LineError('ERR_LINE_TIMEOUT', message);
}

function overdueError(request: string, timeoutMs: number): LineError {
  const message = `The reply to ${commandOf(request)} did not come within ${2 * timeoutMs} ms: the connection is cut.`;
  return new LineError('ERR_LINE_CLOSED', message);
}

/** Without what follows the command: it may be a secret, and messages are logged. */
function commandOf(request: string): string {
  return JSON.stringify(request.split(' ', 1)[0]);
}
