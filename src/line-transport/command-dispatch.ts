/**
 * CommandDispatch: finds what answers a line, and has Nest answer it. Knows nothing of sockets.
 */
import { AsyncResource } from 'node:async_hooks';
import { HttpException, IntrinsicException, type LoggerService } from '@nestjs/common';
import type { BaseRpcContext } from '@nestjs/microservices';
import { type CommandTable, payloadOf, type RegisteredCommand, usageOf } from './command-table.js';
import type { LineConnection } from './line-connection.js';
import { abortedBy, LineContext, registeredFor } from './line-context.js';
import { errorReply, type ErrorReply, type LineWords } from './line-errors.js';
import type { LineJournal } from './line-journal.js';
import { ErrorLine, isLineStream, repliesOf } from './line-reply.js';

/** What Nest's observability has called around every message. */
export interface ProcessingHooks {
  onStart(context: BaseRpcContext, done: () => Promise<unknown>): unknown;
  onEnd(context: BaseRpcContext): void;
}

/** Stands in the place of a command while a client is welcomed. */
const WELCOME: RegisteredCommand = {
  name: '',
  handler: () => Promise.resolve(),
  args: undefined,
  words: undefined,
  timeoutMs: undefined,
  isEvent: false,
  declaredBy: undefined,
};

export class CommandDispatch {
  /** Set by whoever observes; until then nothing is called around a line. */
  processingHooks: ProcessingHooks | undefined;
  /** Lines whose processing has started and not ended. */
  readonly #observed = new WeakSet<LineContext>();

  constructor(
    private readonly commands: CommandTable,
    private readonly words: LineWords,
    private readonly journal: LineJournal,
    private readonly logger: LoggerService,
  ) {}

  /** @param line `undefined` for a client that is to be welcomed */
  begin(line: string | undefined, connection: LineConnection): LineContext {
    if (line === undefined) return new LineContext('', connection, WELCOME);
    this.journal.request(connection, line);
    const command = this.commands.find(line) ?? this.commands.fallback;
    return new LineContext(line, connection, command);
  }

  /** What a line is answered. */
  answer(context: LineContext): unknown {
    const command = registeredFor(context);
    if (command === undefined) {
      this.journal.protocolError(context.connection, 'unknownCommand');
      return new ErrorLine(this.words.unknownCommand(this.commands.names));
    }
    const request = payloadOf(command, context.line);
    if (typeof request === 'string') {
      this.journal.protocolError(context.connection, 'badArguments');
      return new ErrorLine(
        request === 'badQuoting'
          ? this.words.badQuoting
          : this.words.wrongArguments(usageOf(command)),
      );
    }
    const handle = (): unknown => command.handler(request.payload, context);
    const hooks = this.processingHooks;
    return hooks === undefined ? handle() : this.#observe(hooks, context, handle);
  }

  /** What is said in the place of an answer that failed; `undefined` for an event, in answer to which nothing is said. */
  errorReply(context: LineContext, error: unknown): ErrorReply | undefined {
    const { connection, line } = context;
    const command = registeredFor(context);
    const isLate = error !== undefined && error === abortedBy(context);
    const reply = errorReply(error, this.words, isLate);
    if (command?.isEvent === true) {
      this.fail(connection, line, error); // a reason that was meant for the client would be lost
      return undefined;
    }
    if (reply.isMeant) this.journal.reject(connection, line, error);
    else this.fail(connection, line, error);
    return command === WELCOME ? { ...reply, closes: true } : reply;
  }

  /** A defect: it is told to those who listen, or else logged. */
  fail(connection: LineConnection, line: string, error: unknown): void {
    const isHeard = this.journal.fail(connection, line, error);
    if (!isHeard && !isIntrinsic(error)) this.#log(error);
  }

  #log(error: unknown): void {
    try {
      this.logger.error(error);
    } catch {
      this.logger.error('A handler threw something that cannot be logged.'); // a Proxy, say
    }
  }

  /** The line is answered, or given up. */
  finish(context: LineContext): void {
    if (!this.#observed.delete(context)) return;
    try {
      this.processingHooks?.onEnd(context);
    } catch (error) {
      this.fail(context.connection, context.line, error);
    }
  }

  #observe(hooks: ProcessingHooks, context: LineContext, handle: () => unknown): Promise<unknown> {
    this.#observed.add(context);
    return new Promise((resolve, reject) => {
      const started = hooks.onStart(context, async () => {
        const answer = begin(handle);
        resolve(answer);
        await answer;
      });
      Promise.resolve(started).catch(reject);
    });
  }
}

/** Subscribes to a stream at once, and asks an iterator for each reply, where the AsyncLocalStorage of a processing hook is. */
async function begin(handle: () => unknown): Promise<unknown> {
  const answer = await handle();
  if (!isLineStream(answer)) return answer;
  const replies = repliesOf(answer);
  const next = AsyncResource.bind(() => replies.next());
  const end = AsyncResource.bind(async () => replies.return?.());
  return { [Symbol.asyncIterator]: () => ({ next, return: end }) };
}

/** Nest logs no IntrinsicException. HttpExceptions are such, but one that is no rejection is a failure. */
function isIntrinsic(error: unknown): boolean {
  try {
    return error instanceof IntrinsicException && !(error instanceof HttpException);
  } catch {
    return false; // a Proxy may throw even here
  }
}
