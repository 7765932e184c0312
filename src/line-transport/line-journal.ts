/**
 * LineJournal: what happens on a server, told to those who listen and counted. Knows nothing of why.
 */
import { EventEmitter } from 'node:events';
import type { LineConnection } from './line-connection.js';
import type { ProtocolError } from './line-errors.js';
import type {
  Answered,
  EndReason,
  LineServerEvents,
  LineServerStats,
  PauseReason,
  RefusalReason,
} from './line-events.js';
import type { Peer } from './line-peer.js';
import { MeasuredLine } from './measured-line.js';

type Arguments = { [Name in keyof LineServerEvents]: Parameters<LineServerEvents[Name]> };

/** For so long the same failure of the listening socket is not told again. */
const FAILURE_MS = 60_000;

export class LineJournal {
  readonly #events = new EventEmitter<Arguments>();
  readonly #refused = {
    maxConnections: 0,
    maxConnectionsPerAddress: 0,
    tlsHandshake: 0,
    addressDenied: 0,
    proxyUntrusted: 0,
    proxyHeader: 0,
    proxyProbe: 0,
  };
  readonly #ended = {
    quit: 0,
    refused: 0,
    client: 0,
    idle: 0,
    lineTimeout: 0,
    writeTimeout: 0,
    tooManyErrors: 0,
    shutdown: 0,
    reset: 0,
    error: 0,
  };
  readonly #pauses = { pendingInput: 0, unreadReplies: 0, bufferedBytes: 0 };
  readonly #protocolErrors = { unknownCommand: 0, badArguments: 0, lineTooLong: 0 };
  /** Whether anyone listens to what happens for every line. */
  #isRequestHeard = false;
  #isReplyHeard = false;
  #isAnsweredHeard = false;
  /** When the listening socket failed in which way. */
  readonly #failures = new Map<string, number>();
  #accepted = 0;
  #received = 0;
  #sent = 0;
  #requests = 0;
  #rejected = 0;
  #handlerErrors = 0;

  constructor() {
    this.#events.on('error', () => undefined); // without any listener Node would end the process
  }

  /**
   * @param now the clients that are there
   * @param bufferedBytes what is kept for them
   */
  stats(
    now: Pick<LineServerStats['connections'], 'open' | 'arriving' | 'max'>,
    bufferedBytes: number,
  ): LineServerStats {
    return {
      connections: {
        ...now,
        accepted: this.#accepted,
        refused: { ...this.#refused },
        ended: { ...this.#ended },
      },
      bufferedBytes,
      pauses: { ...this.#pauses },
      bytes: { received: this.#received, sent: this.#sent },
      lines: this.#requests + this.#protocolErrors.lineTooLong,
      protocolErrors: { ...this.#protocolErrors },
      rejected: this.#rejected,
      handlerErrors: this.#handlerErrors,
    };
  }

  on<Name extends keyof LineServerEvents>(event: Name, listener: LineServerEvents[Name]): void {
    (this.#events as EventEmitter).on(event, listener);
    if (event === 'request') this.#isRequestHeard = true;
    if (event === 'reply') this.#isReplyHeard = true;
    if (event === 'answered') this.#isAnsweredHeard = true;
  }

  /** Tells what is not counted. */
  tell<Name extends 'listening' | 'connection' | 'strained' | 'draining' | 'closed'>(
    event: Name,
    ...args: Parameters<LineServerEvents[Name]>
  ): void {
    (this.#events as EventEmitter).emit(event, ...args);
  }

  /** Not a million times: what fails for want of something goes on failing. */
  failListening(error: NodeJS.ErrnoException): void {
    const { code = '' } = error;
    const now = performance.now();
    const before = this.#failures.get(code);
    if (before !== undefined && now - before < FAILURE_MS) return;
    this.#failures.set(code, now);
    this.#events.emit('error', error);
  }

  /** @returns the number of the client that has been accepted, from 1 */
  accept(): number {
    return ++this.#accepted;
  }

  refuse(peer: Peer, reason: RefusalReason): void {
    this.#refused[reason]++;
    this.#events.emit('refused', peer, reason);
  }

  pause(connection: LineConnection, reason: PauseReason): void {
    this.#pauses[reason]++;
    this.#events.emit('paused', connection, reason);
  }

  receive(bytes: number): void {
    this.#received += bytes;
  }

  send(bytes: number): void {
    this.#sent += bytes;
  }

  /** A line is served from now on. @returns what measures it, if anyone listens */
  measure(): MeasuredLine | undefined {
    return this.#isAnsweredHeard ? new MeasuredLine() : undefined;
  }

  answered(connection: LineConnection, answered: Answered): void {
    this.#events.emit('answered', connection, answered);
  }

  request(connection: LineConnection, line: string): void {
    this.#requests++;
    if (this.#isRequestHeard) this.#events.emit('request', connection, line);
  }

  reply(connection: LineConnection, line: string): void {
    if (this.#isReplyHeard) this.#events.emit('reply', connection, line);
  }

  protocolError(connection: LineConnection, error: ProtocolError): void {
    this.#protocolErrors[error]++;
    this.#events.emit('protocolError', connection, error);
  }

  reject(connection: LineConnection, line: string, error: unknown): void {
    this.#rejected++;
    this.#events.emit('rejected', connection, line, error);
  }

  /** @returns whether anyone listens: otherwise nobody has heard of it */
  fail(connection: LineConnection, line: string, error: unknown): boolean {
    this.#handlerErrors++;
    return this.#events.emit('handlerError', connection, line, error);
  }

  end(connection: LineConnection, reason: EndReason, error: Error | undefined): void {
    this.#ended[reason]++;
    this.#events.emit('disconnection', connection, reason, error);
  }
}
