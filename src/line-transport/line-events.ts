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

/**
 * Why a connection was not served:
 * - `maxConnections`, `maxConnectionsPerAddress`: the server, or the room for its address, was full
 * - `tlsHandshake`: no TLS session came about in time
 * - `addressDenied`: its address is one of `denyAddresses`, or none of `allowAddresses`
 * - `proxyUntrusted`: it is to be a proxy's, and its address is none of `proxyProtocolTrust`
 * - `proxyHeader`: a proxy sent no PROXY header in time, or what is none
 * - `proxyProbe`: a proxy left without a byte, or before it was looked at: so it finds out whether somebody listens. Nothing is wrong
 */
export type RefusalReason =
  | 'maxConnections'
  | 'maxConnectionsPerAddress'
  | 'tlsHandshake'
  | 'addressDenied'
  | 'proxyUntrusted'
  | 'proxyHeader'
  | 'proxyProbe';

/**
 * Why a client has to wait:
 * - `pendingInput`: it is not read, because `maxPendingBytes` of it wait for their answers
 * - `unreadReplies`: it is not answered, because it has not read `maxUnreadBytes`
 * - `bufferedBytes`: it is not read, because the server keeps `maxBufferedBytes`, and for it more than its share
 */
export type PauseReason = 'pendingInput' | 'unreadReplies' | 'bufferedBytes';

/**
 * What became of a line:
 * - `replied`: its answer is said to the end, also where that is nothing, as for an event
 * - `rejected`: an exception told the client why not
 * - `failed`: its handler failed
 * - `timedOut`: its handler took longer than it may
 * - `abandoned`: the conversation was over before its answer was complete
 * - `unknownCommand`, `badArguments`, `lineTooLong`: it is none that the protocol allows
 */
export type Outcome = 'replied' | 'rejected' | 'failed' | 'timedOut' | 'abandoned' | ProtocolError;

/** How a line was answered. */
export interface Answered {
  /** The command as it was declared, never as a client wrote it; empty for a line that is none, `@UnknownCommand()` or not. */
  readonly command: string;
  /** What became of it. */
  readonly outcome: Outcome;
  /** Milliseconds from when it was served until its answer was complete, the time included that a client takes to read a stream. */
  readonly durationMs: number;
}

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
  /**
   * The answer to one line is complete: told once for each line that was served, whatever became of it. Frequent: costs nothing
   * without a listener.
   */
  answered: (connection: LineConnection, answered: Answered) => void;
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

/** Counters since the server was made, but for what is said to be now. */
export interface LineServerStats {
  /** Clients that came, and what became of them. */
  readonly connections: {
    /** The conversations that are not over now. */
    readonly open: number;
    /** Clients who have a place, and of whom a PROXY header or the agreement on TLS is awaited now. */
    readonly arriving: number;
    /** The most that may be open now: `maxConnections`, or what the system has descriptors for. */
    readonly max: number;
    readonly accepted: number;
    readonly refused: Readonly<Record<RefusalReason, number>>;
    readonly ended: Readonly<Record<EndReason, number>>;
  };
  /** What is kept for all clients now, in bytes: waiting input and unread replies. */
  readonly bufferedBytes: number;
  /** How often a client has had to wait. */
  readonly pauses: Readonly<Record<PauseReason, number>>;
  /** What conversations took from their clients and gave to their sockets, in bytes, telnet's included; not what refused clients are told. */
  readonly bytes: { readonly received: number; readonly sent: number };
  /** Lines received, whatever became of them. */
  readonly lines: number;
  /** Error lines for what the protocol does not allow. */
  readonly protocolErrors: Readonly<Record<ProtocolError, number>>;
  /** Lines that were answered with the reason of an exception. */
  readonly rejected: number;
  /** Failures of handlers and hooks that clients were told nothing of. */
  readonly handlerErrors: number;
}
