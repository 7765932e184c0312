/**
 * CommandDispatch: finds what answers a line, and calls it or has Nest call it. Knows nothing of sockets.
 */
import { AsyncResource } from 'node:async_hooks';
import { HttpException, IntrinsicException, type LoggerService } from '@nestjs/common';
import type { BaseRpcContext } from '@nestjs/microservices';
import {
  BadArguments,
  type CommandTable,
  payloadOf,
  type RegisteredCommand,
  usageOf,
} from './command-table.js';
import { Declaration } from './command.decorator.js';
import type { DirectCall } from './direct-dispatch.js';
import type { LineConnection } from './line-connection.js';
import { abortedBy, LineContext, registeredFor } from './line-context.js';
import type { LineDecoder } from './line-decoder.js';
import { errorReply } from './line-errors.js';
import type { ServedCommand } from './line-events.js';
import type { LineJournal } from './line-journal.js';
import type { ResolvedLineServerOptions } from './line-options.js';
import {
  type Answer,
  checkedReply,
  ErrorLine,
  isLineStream,
  isOneLine,
  isReply,
  LateAnswer,
  repliesOf,
} from './line-reply.js';
import { lineText } from './line-text.js';
import type { MeasuredLine } from './measured-line.js';

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
  direct: undefined,
  reason: '',
};

export class CommandDispatch {
  /** Set by whoever observes; until then nothing is called around a line. */
  processingHooks: ProcessingHooks | undefined;
  /** Lines whose processing has started and not ended. */
  readonly #observed = new WeakSet<LineContext>();

  constructor(
    private readonly commands: CommandTable,
    private readonly options: Pick<ResolvedLineServerOptions, 'words' | 'maxEmittedReplies'>,
    private readonly journal: LineJournal,
    private readonly logger: LoggerService,
  ) {}

  /** The commands, in the order of registration, and how each is reached. */
  served(): ServedCommand[] {
    return this.commands.known.map(({ name, declaredBy, direct, reason }) => {
      if (direct !== undefined && this.processingHooks !== undefined) {
        return { name, dispatch: 'pipeline', reason: 'Processing hooks are to see every line.' };
      }
      const method = declaredBy instanceof Declaration ? String(declaredBy) : 'Its method';
      const dispatch = direct === undefined ? 'pipeline' : 'direct';
      return { name, dispatch, reason: `${method} ${reason}.` };
    });
  }

  /** What a client is told before its first line is served. */
  welcome(connection: LineConnection, answer: unknown): LateAnswer {
    return new LateAnswer(new LineContext('', connection, WELCOME), answer);
  }

  /**
   * What a line is answered: those bytes that the decoder has come to.
   * @param measured is told which command it is
   */
  answer(
    connection: LineConnection,
    { bytes, start, end }: LineDecoder,
    measured: MeasuredLine | undefined,
  ): Answer {
    const { commands, journal } = this;
    const spelt = commands.spelt(bytes, start, end);
    const line = spelt?.name ?? lineText(bytes, start, end);
    journal.request(connection, line);
    const command = spelt ?? commands.find(line) ?? commands.fallback;
    if (command === undefined) {
      return new ErrorLine(this.options.words.unknownCommand(commands.names), 'unknownCommand');
    }
    if (measured !== undefined && command !== commands.fallback) measured.command = command.name;
    const payload = payloadOf(command, line);
    if (payload instanceof BadArguments) {
      const { words } = this.options;
      const told = payload.isQuoting ? words.badQuoting : words.wrongArguments(usageOf(command));
      return new ErrorLine(told, 'badArguments');
    }
    return command.direct === undefined || this.processingHooks !== undefined
      ? this.#askNest(new LineContext(line, connection, command), command, payload)
      : this.#call(command.direct, connection, line, command, payload);
  }

  /** What is said in the place of an answer that failed; `undefined` for an event, in answer to which nothing is said. */
  errorLine(context: LineContext, error: unknown): ErrorLine | undefined {
    const { connection, line } = context;
    const command = registeredFor(context);
    const isLate = error !== undefined && error === abortedBy(context);
    const reply = errorReply(error, this.options.words, isLate);
    if (command?.isEvent === true) {
      this.fail(connection, line, error); // a reason that was meant for the client would be lost
      return undefined;
    }
    if (reply.outcome === 'rejected') this.journal.reject(connection, line, error);
    else this.fail(connection, line, error);
    return new ErrorLine(reply.line, reply.outcome, reply.closes || command === WELCOME);
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
    if (this.processingHooks === undefined || !this.#observed.delete(context)) return;
    try {
      this.processingHooks.onEnd(context);
    } catch (error) {
      this.fail(context.connection, context.line, error);
    }
  }

  #call(
    { call, needsContext }: DirectCall,
    connection: LineConnection,
    line: string,
    command: RegisteredCommand,
    payload: unknown,
  ): Answer {
    let context = needsContext ? new LineContext(line, connection, command) : undefined;
    let answer: unknown;
    try {
      answer = call(payload, context);
    } catch (error) {
      context ??= new LineContext(line, connection, command);
      return this.errorLine(context, error);
    }
    if (context === undefined && isOneLine(answer)) return answer; // most are
    try {
      // Who has cut its own connection sees that in its signal, as with an answer that comes late.
      if (isReply(answer) && !connection.over) return checkedReply(answer);
    } catch {
      // What no line can say is an error only if there is still someone to say it to, as with an answer that comes late.
    }
    context ??= new LineContext(line, connection, command);
    return new LateAnswer(context, answer);
  }

  #askNest(context: LineContext, { handler }: RegisteredCommand, payload: unknown): Answer {
    const hooks = this.processingHooks;
    try {
      if (hooks === undefined) return new LateAnswer(context, handler(payload, context));
      const observed = this.#observe(hooks, context, () => handler(payload, context));
      return new LateAnswer(context, observed);
    } catch (error) {
      return this.errorLine(context, error);
    }
  }

  #observe(hooks: ProcessingHooks, context: LineContext, handle: () => unknown): Promise<unknown> {
    this.#observed.add(context);
    return new Promise((resolve, reject) => {
      const started = hooks.onStart(context, async () => {
        const answer = begin(handle, this.options.maxEmittedReplies);
        resolve(answer);
        await answer;
      });
      Promise.resolve(started).catch(reject);
    });
  }
}

/** Subscribes to a stream at once, and asks an iterator for each reply, where the AsyncLocalStorage of a processing hook is. */
async function begin(handle: () => unknown, maxAhead: number): Promise<unknown> {
  const answer = await handle();
  if (!isLineStream(answer)) return answer;
  const replies = repliesOf(answer, maxAhead);
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
