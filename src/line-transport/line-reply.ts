/**
 * What a handler may answer, and how it becomes lines. A reply is whole lines or nothing. Knows nothing of sockets.
 */
import { Readable } from 'node:stream';
import { isObservable, type Observable, type Subscription, takeWhile } from 'rxjs';
import { Fifo } from './fifo.js';
import type { LineContext } from './line-context.js';
import { LineError } from './line-errors.js';
import type { Outcome } from './line-events.js';

/** Ends the conversation, after its lines if it has any. Made by {@link closeWith}; bare: {@link CLOSE}. */
export class Closing {
  constructor(
    /** What is said before the end. */
    readonly lines: readonly string[],
  ) {}
}

/** Words of the server itself in the place of a handler's reply: not a `reply` to those who listen to events. */
export class ErrorLine {
  constructor(
    readonly line: string,
    /** What became of the client's line. */
    readonly outcome: Exclude<Outcome, 'replied' | 'abandoned'>,
    /** Whether the conversation ends with it. */
    readonly closes = false,
  ) {}
}

/** What a line will be answered: a reply, a stream of replies, or a promise of either. */
export class LateAnswer {
  constructor(
    readonly context: LineContext,
    readonly answer: unknown,
  ) {}
}

/** What a line is answered, as far as it is known. */
export type Answer = LineReply | ErrorLine | LateAnswer;

/**
 * What one answer says: a line, several lines, nothing at all (`undefined`, `null`), or the end of the conversation.
 * Line ends are added by the transport; CR, LF and NUL inside a line become blanks.
 */
export type LineReply =
  string | number | bigint | boolean | readonly string[] | Closing | null | undefined;

/**
 * What a `@Command` method may return: a reply, now or later, or a stream of replies whose lines are sent as they
 * come (an Observable or an AsyncIterable; a `CLOSE` inside ends it).
 */
export type LineAnswer = LineReply | Promise<LineReply | LineStream> | LineStream;

/** A stream of replies. */
export type LineStream = Observable<LineReply> | AsyncIterable<LineReply>;

/** Says nothing and closes the connection, once every earlier reply has been delivered. */
export const CLOSE = new Closing([]);

/** Says these lines and then closes the connection. */
export function closeWith(...lines: string[]): Closing {
  return new Closing(lines);
}

/** The most characters of one line; beyond that it is no longer text that someone reads, and V8's own limits come near. */
export const MAX_LINE_LENGTH = 16_777_216;

/** Whether a reply is what most are: one line, as it is. */
export function isOneLine(reply: unknown): reply is string {
  return typeof reply === 'string' && reply.length <= MAX_LINE_LENGTH;
}

/**
 * The lines of one reply.
 * @throws {LineError} `ERR_LINE_REPLY` if the value is nothing a line can say (an object, a symbol, …), or too long for one
 */
export function replyLines(reply: unknown): string[] {
  if (reply === undefined || reply === null) return [];
  if (reply === CLOSE) return [];
  if (reply instanceof Closing) return Array.from(reply.lines, lineOf);
  if (Array.isArray(reply)) return Array.from(reply, lineOf); // which does not skip holes
  return [lineOf(reply)];
}

/** Whether an answer is a reply and not something to be waited for; what is nothing a line can say is neither. */
export function isReply(answer: unknown): answer is LineReply {
  switch (typeof answer) {
    case 'string':
    case 'number':
    case 'bigint':
    case 'boolean':
    case 'undefined':
      return true;
    case 'object':
      return answer === null || answer instanceof Closing || Array.isArray(answer);
    default:
      return false;
  }
}

/**
 * A reply that has been looked at: nothing in it will turn out to be what no line can say.
 * @throws {LineError} `ERR_LINE_REPLY`
 */
export function checkedReply(reply: LineReply): LineReply {
  if (reply === undefined || reply === null || reply === CLOSE || isOneLine(reply)) return reply;
  const lines = replyLines(reply);
  return reply instanceof Closing ? new Closing(lines) : lines;
}

/** True for what {@link repliesOf} can iterate. */
export function isLineStream(answer: unknown): answer is LineStream {
  return typeof answer === 'object' && (isObservable(answer) || isAsyncIterable(answer));
}

/**
 * The replies of a stream, one by one. Its `return()` lets go of an Observable at once, also while a reply is
 * awaited (an async generator can only be stopped where it yields).
 * @param maxAhead replies that an Observable may be ahead of who asks for them
 */
export function repliesOf(stream: LineStream, maxAhead: number): AsyncIterator<unknown> {
  if (isObservable(stream)) return new Emissions(stream, maxAhead);
  const replies = stream[Symbol.asyncIterator]();
  return stream instanceof Readable ? closing(stream, replies) : replies;
}

/** What Node reads from is closed by its iterator only once that was asked for something. */
function closing(stream: Readable, replies: AsyncIterator<unknown>): AsyncIterator<unknown> {
  let isBegun = false;
  return {
    next: () => {
      isBegun = true;
      return replies.next();
    },
    return: async () => {
      if (!isBegun) stream.destroy();
      await replies.return?.();
      return { done: true, value: undefined };
    },
  };
}

function isAsyncIterable(value: unknown): value is AsyncIterable<LineReply> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function lineOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      if (value.length <= MAX_LINE_LENGTH) return value;
      throw new LineError(
        'ERR_LINE_REPLY',
        `A handler answered a line of ${value.length} characters; the most is ${MAX_LINE_LENGTH}. ` +
          'Answer an AsyncIterable of shorter ones.',
      );
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value);
    default:
      throw new LineError(
        'ERR_LINE_REPLY',
        `A handler answered ${typeof value === 'object' ? 'an object' : `a ${typeof value}`}; ` +
          'answer a string, an array of strings, a stream of them, CLOSE or nothing.',
      );
  }
}

/**
 * What an Observable emits, kept until it is asked for. Streams inside it (interceptors make such) are flattened, and asked for a
 * reply only when one is asked for here.
 */
class Emissions implements AsyncIterator<unknown> {
  readonly #emitted = new Fifo<unknown>();
  readonly #subscription: Subscription;
  /** What is asked before what was emitted behind it. */
  #inner: AsyncIterator<unknown> | undefined;
  #end: { readonly failure?: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(
    source: Observable<unknown>,
    private readonly maxAhead: number,
  ) {
    // Also what never ends and emits while it is subscribed to can be let go of in this way.
    this.#subscription = source.pipe(takeWhile(() => this.#hasRoom())).subscribe({
      next: (value) => {
        this.#emitted.push(value);
        this.#wake?.();
      },
      error: (failure: unknown) => this.#finish({ failure }),
      complete: () => this.#finish({}),
    });
  }

  async next(): Promise<IteratorResult<unknown, undefined>> {
    for (;;) {
      const inner = await this.#inner?.next();
      if (inner !== undefined && inner.done !== true) return inner;
      this.#inner = undefined;
      await this.#untilEmitted();
      if (this.#emitted.length === 0) break;
      const value = this.#emitted.shift();
      if (!isLineStream(value)) return { done: false, value };
      this.#inner = repliesOf(value, this.maxAhead);
    }
    if (this.#end !== undefined && 'failure' in this.#end) throw this.#end.failure;
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<unknown, undefined>> {
    this.#subscription.unsubscribe();
    this.#emitted.clear();
    this.#finish({});
    await this.#inner?.return?.();
    return { done: true, value: undefined };
  }

  #hasRoom(): boolean {
    if (this.#emitted.length < this.maxAhead) return true;
    const message = `An Observable is ${this.maxAhead} replies ahead of its client. An AsyncIterable would wait.`;
    this.#finish({ failure: new LineError('ERR_LINE_BACKLOG', message) });
    return false;
  }

  async #untilEmitted(): Promise<void> {
    while (this.#emitted.length === 0 && this.#end === undefined) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #finish(end: { readonly failure?: unknown }): void {
    this.#end ??= end;
    this.#wake?.();
  }
}
