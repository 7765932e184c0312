/**
 * What can go wrong between a client and a server, and the only place where an error becomes words.
 */
import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';

/** The stable codes of {@link LineError}. */
export type LineErrorCode =
  /** an option is out of its bounds or unknown; the message lists every fault */
  | 'ERR_LINE_OPTIONS'
  /** the server cannot listen where it was told to (`cause` is the system's error), listens already, or does not listen yet */
  | 'ERR_LINE_LISTEN'
  /** a command that no line can spell, whose options are wrong, or that two methods answer */
  | 'ERR_LINE_COMMAND'
  /** a handler answered something that no line can say, or one that is too long */
  | 'ERR_LINE_REPLY'
  /** an Observable was further ahead of its client than `maxEmittedReplies` */
  | 'ERR_LINE_BACKLOG'
  /** a connection hook on a class in request or transient scope, which has no one instance to call */
  | 'ERR_LINE_HOOK'
  /** a request that is not one line: CR, LF or NUL inside, or no text at all; nothing of it was written */
  | 'ERR_LINE_REQUEST'
  /** a client cannot connect (`cause` is the system's error, if there is one), or a server cannot serve a stream yet, or at all */
  | 'ERR_LINE_CONNECT'
  /** a connection or a server was closed or lost, or there is none; a request may have been served or not */
  | 'ERR_LINE_CLOSED'
  /** a client's reply was not complete in time, and may have been served or not; or a handler took too long */
  | 'ERR_LINE_TIMEOUT'
  /** a server sent a client a line longer than the client takes; the connection is cut */
  | 'ERR_LINE_TOO_LONG'
  /** as many requests wait for their replies as a client allows; this one was not written */
  | 'ERR_LINE_BUSY';

/** Every error this transport makes itself. Tell them apart by `code`; the message is for people. */
export class LineError extends Error {
  /** `LineError`, also where classes of two copies of the package meet. */
  override readonly name = 'LineError';

  constructor(
    /** What went wrong; stable. */
    readonly code: LineErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * An RpcException that ends the conversation: the client is told its message as an error line, then the connection is closed, as
 * with `closeWith`.
 */
export class ClosingException extends RpcException {}

/** What a client did that the protocol does not allow; it gets an error line and the conversation goes on. */
export type ProtocolError = 'unknownCommand' | 'badArguments' | 'lineTooLong';

/** Whether what became of a line is that it is none the protocol allows. */
export function isProtocolError(outcome: string): outcome is ProtocolError {
  return outcome === 'unknownCommand' || outcome === 'badArguments' || outcome === 'lineTooLong';
}

/** The words of the error lines. Each is one line without its line end. */
export interface LineWords {
  /** @param commands the known commands, in the order of registration */
  readonly unknownCommand: (commands: readonly string[]) => string;
  /** @param maxLineBytes the limit that was exceeded */
  readonly lineTooLong: (maxLineBytes: number) => string;
  /** Said when a quoted word is not closed, or is written as no quoted word can be. */
  readonly badQuoting: string;
  /** @param usage the command and the words it takes, of which there were too few or too many: `SET <key> [value]` */
  readonly wrongArguments: (usage: string) => string;
  /**
   * Said when a guard, a pipe or a handler rejected the line and told why: an RpcException, an HttpException of 400–499.
   * @param reason the exception's message
   */
  readonly rejected: (reason: string) => string;
  /** Said to a client beyond `maxConnections` or `maxConnectionsPerAddress`, before its connection is closed. */
  readonly serverFull: string;
  /** Said to a client that was silent for `idleTimeoutMs`, or took longer than `lineTimeoutMs` for a line, before its connection is closed. */
  readonly idleTimeout: string;
  /** Said in the place of a reply that did not come within `handlerTimeoutMs`. */
  readonly handlerTimeout: string;
  /** Said after `maxProtocolErrors` error lines in a row, before the connection is closed. */
  readonly tooManyErrors: string;
  /** Said in the place of a reply when its handler failed; it tells nothing of the failure. */
  readonly serverError: string;
}

/** The default words. */
export const ENGLISH: LineWords = {
  unknownCommand: (commands) =>
    commands.length === 0
      ? 'UNKNOWN COMMAND.'
      : `UNKNOWN COMMAND. Use ${enumerate(commands, 'or')}.`,
  lineTooLong: (maxLineBytes) => `LINE TOO LONG. At most ${maxLineBytes} bytes.`,
  badQuoting: 'UNBALANCED QUOTES.',
  wrongArguments: (usage) => `WRONG ARGUMENTS. Use ${usage}.`,
  rejected: (reason) => `ERROR: ${reason}`,
  serverFull: 'SERVER FULL. Try again later.',
  idleTimeout: 'TIMED OUT.',
  handlerTimeout: 'NO ANSWER IN TIME.',
  tooManyErrors: 'TOO MANY ERRORS.',
  serverError: 'SERVER ERROR.',
};

/** What an exception says beyond this is not told. */
const MAX_REASON_LENGTH = 65_536;

/** How an error is answered. */
export interface ErrorReply {
  readonly line: string;
  /** Whether the conversation ends with it. */
  readonly closes: boolean;
  /** `rejected` if who threw it meant the client to read it; otherwise it is a defect, and the line tells nothing of it. */
  readonly outcome: 'rejected' | 'failed' | 'timedOut';
}

/**
 * The one place where what a guard, a pipe, a handler or a filter threw becomes a line.
 * @param isLate whether it is no exception, but a handler that took too long
 */
export function errorReply(error: unknown, words: LineWords, isLate = false): ErrorReply {
  if (isLate) return { line: words.handlerTimeout, closes: false, outcome: 'timedOut' };
  try {
    const reason = reasonOf(error);
    if (reason !== undefined) {
      const closes = error instanceof ClosingException;
      const line = words.rejected(reason.slice(0, MAX_REASON_LENGTH));
      return { line, closes, outcome: 'rejected' };
    }
  } catch {
    // Not even looking at it is safe: what was thrown may be a Proxy, or have a getter that throws.
  }
  return { line: words.serverError, closes: false, outcome: 'failed' };
}

/** What an exception tells a client; `undefined` if it is none of a client's business. */
function reasonOf(error: unknown): string | undefined {
  if (error instanceof RpcException) {
    return error.getError() instanceof Error ? undefined : error.message; // an error that is wrapped is still none
  }
  if (!(error instanceof HttpException)) return undefined;
  const status = error.getStatus();
  return status >= 400 && status < 500 ? messageOf(error) : undefined;
}

/** ValidationPipe and the schema pipe put a list of faults into the response. */
function messageOf(error: HttpException): string {
  const response: unknown = error.getResponse(); // not always text or an object: often what another service answered
  if (typeof response === 'string') return response;
  // Nest tells no client the message of an error in the place of a response; what failed inside is in it.
  if (response instanceof Error) return STATUS_CODES[error.getStatus()] ?? 'Error';
  const isObject = typeof response === 'object' && response !== null;
  const message: unknown = isObject && 'message' in response ? response.message : undefined;
  return Array.isArray(message) ? message.join('; ') : error.message;
}

/** Lists names as a sentence does: `A`, `A or B`, `A, B or C`. */
export function enumerate(names: readonly string[], conjunction: string): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} ${conjunction} ${last}`;
}
