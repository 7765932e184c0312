/**
 * The observable surface of a line server: what happens rarely is an event, what happens often is counted. Whoever listens
 * decides what is logged.
 */
import type { AddressInfo } from 'node:net';
import type { LineConnection } from './line-connection.js';
import type { ProtocolError } from './line-errors.js';
import type { Peer } from './line-peer.js';

/**
 * Why a conversation is over:
 * - `quit`: a handler answered `CLOSE` or `closeWith(…)`, or threw a `ClosingException`
 * - `refused`: an `@OnConnect()` method did, or failed
 * - `client`: the client closed its side, and everything it asked was answered
 * - `idle`: the client was silent for `idleTimeoutMs`
 * - `lineTimeout`: a line was unfinished for `lineTimeoutMs`
 * - `writeTimeout`: the client took nothing of what it was told for `writeTimeoutMs`
 * - `tooManyErrors`: `maxProtocolErrors` lines in a row were none that the protocol allows
 * - `shutdown`: the server is being closed
 * - `reset`: the client cut the connection without closing it (ECONNRESET, EPIPE)
 * - `error`: the socket failed in another way; the event carries the error
 */
export type EndReason =
  | 'quit'
  | 'refused'
  | 'client'
  | 'idle'
  | 'lineTimeout'
  | 'writeTimeout'
  | 'tooManyErrors'
  | 'shutdown'
  | 'reset'
  | 'error';

/** Why a connection was not served: the server, or the room for its address, was full, or no TLS session came about in time. */
export type RefusalReason = 'maxConnections' | 'maxConnectionsPerAddress' | 'tlsHandshake';

/**
 * Why a client has to wait:
 * - `pendingInput`: it is not read, because `maxPendingBytes` of it wait for their answers
 * - `unreadReplies`: it is not answered, because it has not read `maxUnreadBytes`
 * - `bufferedBytes`: it is not read, because the server keeps `maxBufferedBytes`, and for it more than its share
 */
export type PauseReason = 'pendingInput' | 'unreadReplies' | 'bufferedBytes';

/** The events of a line server and what their listeners are given. */
export type LineServerEvents = {
  /** It listens; the address is a path for a Unix domain socket. */
  listening: (address: AddressInfo | string) => void;
  /** A connection was accepted. */
  connection: (connection: LineConnection) => void;
  /** A client has to wait until it has read, or until others are less greedy. Frequent: costs nothing without a listener. */
  paused: (connection: LineConnection, reason: PauseReason) => void;
  /** The server keeps more than `maxBufferedBytes` for its clients (`true`), or no longer does (`false`). */
  strained: (isStrained: boolean, bufferedBytes: number) => void;
  /** A connection was closed instead of served; if there was no room for it, it was told so. */
  refused: (peer: Peer, reason: RefusalReason) => void;
  /** A line arrived. Frequent: costs nothing without a listener. */
  request: (connection: LineConnection, line: string) => void;
  /**
   * One line was handed to the socket that the application says: of a reply, a greeting or a push. Frequent: costs nothing
   * without a listener.
   */
  reply: (connection: LineConnection, line: string) => void;
  /** A client did what the protocol does not allow and was told so. */
  protocolError: (connection: LineConnection, error: ProtocolError) => void;
  /** A guard, a pipe or a handler rejected the line by an exception whose message the client was told. */
  rejected: (connection: LineConnection, line: string, error: unknown) => void;
  /**
   * A handler failed, or took longer than it may, and its client was told no more than that; or a connection hook did, with an
   * empty line. Without a listener the error is logged by Nest's logger, so that no defect goes unseen.
   */
  handlerError: (connection: LineConnection, line: string, error: unknown) => void;
  /** A conversation is over: everything is delivered, or never will be. */
  disconnection: (connection: LineConnection, reason: EndReason, error?: Error) => void;
  /** The server stopped accepting and lets `open` conversations finish. */
  draining: (open: number) => void;
  /** The server is closed; `cut` conversations did not finish within the grace. */
  closed: (cut: number) => void;
  /**
   * The listening socket failed after it had begun to listen, or no file descriptors are left (EMFILE, ENFILE): then the system closes new
   * clients, and those who are there are served. Told at most once a minute for each code.
   */
  error: (error: Error) => void;
};

/** How a line reaches its method: called directly, or through Nest's pipeline of guards, interceptors, pipes and filters. */
export type Dispatch = 'direct' | 'pipeline';

/** A command that a server answers. */
export interface ServedCommand {
  /** As it was declared. */
  readonly name: string;
  /** Which way its lines go. */
  readonly dispatch: Dispatch;
  /** Why in this way, for people: `TimeController.time has nothing attached.` */
  readonly reason: string;
}

/** What a server is doing; emitted by `status`. */
export type LineServerStatus = 'listening' | 'draining' | 'closed';

/** Counters since the server was made, except `open`: the conversations that are not over now. */
export interface LineServerStats {
  /** Clients that came, and what became of them. */
  readonly connections: {
    readonly open: number;
    readonly accepted: number;
    readonly refused: Readonly<Record<RefusalReason, number>>;
    readonly ended: Readonly<Record<EndReason, number>>;
  };
  /** What is kept for all clients now, in bytes: waiting input and unread replies. */
  readonly bufferedBytes: number;
  /** How often a client has had to wait. */
  readonly pauses: Readonly<Record<PauseReason, number>>;
  /** Lines received, whatever became of them. */
  readonly lines: number;
  /** Error lines for what the protocol does not allow. */
  readonly protocolErrors: Readonly<Record<ProtocolError, number>>;
  /** Lines that were answered with the reason of an exception. */
  readonly rejected: number;
  /** Failures of handlers and hooks that clients were told nothing of. */
  readonly handlerErrors: number;
}
