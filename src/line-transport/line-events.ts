/**
 * The observable surface of a line server: what happens rarely is an event, what happens often is counted. The
 * transport itself never logs.
 */
import type { AddressInfo } from 'node:net';
import type { LineConnection } from './line-connection.js';
import type { ProtocolError } from './line-errors.js';

/**
 * A client as its socket names it. Both are `undefined` on a Unix domain socket, and for a client that cut its connection
 * before it was accepted.
 */
export interface Peer {
  /** Address in text, IPv4 also where the socket says `::ffff:…`. */
  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;
}

/**
 * Why a conversation is over:
 * - `quit`: a handler answered `CLOSE` or `closeWith(…)`
 * - `client`: the client closed its side, and everything it asked was answered
 * - `idle`: the client was silent for `idleTimeoutMs`
 * - `shutdown`: the server is being closed
 * - `reset`: the client cut the connection without closing it (ECONNRESET, EPIPE)
 * - `error`: the socket failed in another way; the event carries the error
 */
export type EndReason = 'quit' | 'client' | 'idle' | 'shutdown' | 'reset' | 'error';

/** Why a connection was not served. */
export type RefusalReason = 'maxConnections';

/** The events of a line server and what their listeners are given. */
export type LineServerEvents = {
  /** It listens; the address is a path for a Unix domain socket. */
  listening: (address: AddressInfo | string) => void;
  /** A connection was accepted. */
  connection: (connection: LineConnection) => void;
  /** A connection was told so and closed instead of served. */
  refused: (peer: Peer, reason: RefusalReason) => void;
  /** A line arrived. Frequent: costs nothing without a listener. */
  request: (connection: LineConnection, line: string) => void;
  /** One line of a handler's reply was handed to the socket. Frequent: costs nothing without a listener. */
  reply: (connection: LineConnection, line: string) => void;
  /** A client did what the protocol does not allow and was told so. */
  protocolError: (connection: LineConnection, error: ProtocolError) => void;
  /** A handler failed and its client was told no more than that. */
  handlerError: (connection: LineConnection, line: string, error: unknown) => void;
  /** A conversation is over: everything is delivered, or never will be. */
  disconnection: (connection: LineConnection, reason: EndReason, error?: Error) => void;
  /** The server stopped accepting and lets `open` conversations finish. */
  draining: (open: number) => void;
  /** The server is closed; `cut` conversations did not finish within the grace. */
  closed: (cut: number) => void;
  /** The listening socket failed after it had begun to listen. */
  error: (error: Error) => void;
};

/** What a server is doing; emitted by `status`. */
export type LineServerStatus = 'listening' | 'draining' | 'closed';

/** Counters since the server was made, except `open`: the conversations that are not over now. */
export interface LineServerStats {
  readonly connections: {
    readonly open: number;
    readonly accepted: number;
    readonly refused: Readonly<Record<RefusalReason, number>>;
    readonly ended: Readonly<Record<EndReason, number>>;
  };
  /** Lines received, whatever became of them. */
  readonly lines: number;
  readonly protocolErrors: Readonly<Record<ProtocolError, number>>;
  readonly handlerErrors: number;
}
