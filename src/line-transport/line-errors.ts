/**
 * What can go wrong between a client and a server, and the only place where an error becomes words.
 */

/** The stable codes of {@link LineError}. */
export type LineErrorCode =
  /** an option is out of its bounds or unknown; the message lists every fault */
  | 'ERR_LINE_OPTIONS'
  /** the server cannot listen where it was told to; `cause` is the system's error */
  | 'ERR_LINE_LISTEN'
  /** a command that no line can spell, or that two methods answer */
  | 'ERR_LINE_COMMAND'
  /** a handler answered something that no line can say */
  | 'ERR_LINE_REPLY'
  /** a request that is not one line: CR, LF or NUL inside, or no text at all; nothing of it was written */
  | 'ERR_LINE_REQUEST'
  /** a client cannot connect to its server; `cause` is the system's error, if there is one */
  | 'ERR_LINE_CONNECT'
  /** a client's connection was closed or lost, or there is none; a request may have been served or not */
  | 'ERR_LINE_CLOSED'
  /** a reply was not complete in time; the request may have been served or not */
  | 'ERR_LINE_TIMEOUT'
  /** a server sent a client a line longer than the client takes; the connection is cut */
  | 'ERR_LINE_TOO_LONG'
  /** as many requests wait for their replies as a client allows; this one was not written */
  | 'ERR_LINE_BUSY';

/** Every error this transport makes itself. Tell them apart by `code`; the message is for people. */
export class LineError extends Error {
  override readonly name = 'LineError';

  constructor(
    readonly code: LineErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What a client did that the protocol does not allow; it gets an error line and the conversation goes on. */
export type ProtocolError = 'unknownCommand' | 'lineTooLong';

/** The words of the error lines. Each is one line without its line end. */
export interface LineWords {
  /** @param commands the known commands, in the order of registration */
  unknownCommand(commands: readonly string[]): string;
  /** @param maxLineBytes the limit that was exceeded */
  lineTooLong(maxLineBytes: number): string;
  /** Said to a client beyond `maxConnections`, before its connection is closed. */
  readonly serverFull: string;
  /** Said to a client that was silent for `idleTimeoutMs`, before its connection is closed. */
  readonly idleTimeout: string;
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
  serverFull: 'SERVER FULL. Try again later.',
  idleTimeout: 'TIMED OUT.',
  serverError: 'SERVER ERROR.',
};

/** Lists names as a sentence does: `A`, `A or B`, `A, B or C`. */
export function enumerate(names: readonly string[], conjunction: string): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} ${conjunction} ${last}`;
}
