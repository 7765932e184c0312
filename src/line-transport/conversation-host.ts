/**
 * ConversationHost: what a conversation needs of the server it belongs to, and all it knows of it.
 */
import type { LineConnection } from './line-connection.js';
import type { LineContext } from './line-context.js';
import type { LineDecoder } from './line-decoder.js';
import type { LineWords, ProtocolError } from './line-errors.js';
import type { Answered, EndReason, PauseReason } from './line-events.js';
import type { Answer, ErrorLine, LateAnswer } from './line-reply.js';
import type { MeasuredLine } from './measured-line.js';

/** What a connection needs of the server it belongs to. */
export interface ConversationHost {
  readonly maxLineBytes: number;
  readonly maxPendingBytes: number;
  readonly maxProtocolErrors: number;
  readonly maxEmittedReplies: number;
  readonly lineGraceMs: number;
  readonly lineTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly words: LineWords;
  /** What is said before the first line is served, if anything is. */
  welcome(connection: LineConnection): LateAnswer | undefined;
  /** Whether this line may be answered after the line grace, before its end has come. */
  isWhole(line: string): boolean;
  /** A line is served from now on: what measures it, if anyone listens. */
  measure(): MeasuredLine | undefined;
  /** What the line is answered that the decoder has come to; {@link onServed} is called once for each that is answered late. */
  answer(
    connection: LineConnection,
    decoder: LineDecoder,
    measured: MeasuredLine | undefined,
  ): Answer;
  /** What is said in the place of a late answer that failed; `undefined` says nothing. */
  errorLine(context: LineContext, error: unknown): ErrorLine | undefined;
  /** Milliseconds until the first reply to this line is too late; 0 is never. */
  timeoutMsOf(context: LineContext): number;
  /** Whether whatever answers this line is not said. */
  isSilent(context: LineContext): boolean;
  /** A line is no longer served. */
  onServed(context: LineContext): void;
  /** The answer to a line that is measured is complete. */
  onAnswered(connection: LineConnection, answered: Answered): void;
  readonly onReceived: (bytes: number) => void;
  readonly onSent: (bytes: number) => void;
  onReply(connection: LineConnection, line: string): void;
  onProtocolError(connection: LineConnection, error: ProtocolError): void;
  onPaused(connection: LineConnection, reason: PauseReason): void;
  /**
   * So many bytes are kept for this client, and so many more than when that was said last.
   * @returns whether it is too much for a server that keeps much for others: then nothing is read of it until {@link LineConnection.readOn}
   */
  onHeld(connection: LineConnection, held: number, grown: number): boolean;
  /** The conversation is over; the socket may live on a moment to take what the client still sends. */
  onOver(connection: LineConnection, reason: EndReason, error?: Error): void;
  /** The socket is gone. */
  onClosed(connection: LineConnection): void;
}
