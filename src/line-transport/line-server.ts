/**
 * LineServer: the strategy that Nest listens with. It accepts connections, finds the handler of a line, and closes in
 * order: the conversations finish first. What one client says and is told is LineConnection's.
 */
import { EventEmitter } from 'node:events';
import { type AddressInfo, createServer, type Server as NetServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Inject, Injectable, type OnModuleDestroy, Optional } from '@nestjs/common';
import {
  type CustomTransportStrategy,
  type MessageHandler,
  type MsPattern,
  Server,
} from '@nestjs/microservices';
import { LINE_TRANSPORT, UNKNOWN_COMMAND } from './command.decorator.js';
import { type ConversationHost, LineConnection } from './line-connection.js';
import { LineContext } from './line-context.js';
import { LineError } from './line-errors.js';
import { listenError, refuseSecond } from './line-server-errors.js';
import type { LineServerEvents, LineServerStats, LineServerStatus, Peer } from './line-events.js';
import {
  LINE_SERVER_OPTIONS,
  type LineServerOptions,
  type ResolvedLineServerOptions,
  resolveLineOptions,
} from './line-options.js';
import { ErrorLine } from './line-reply.js';
import { LineWriter } from './line-writer.js';

/** How often idle connections are looked for; an idle timeout is exceeded by no more than this. */
const IDLE_CHECK_MS = 1_000;
/** How long a closing server may go on to accept what waits in the kernel; new clients keep coming meanwhile. */
const BACKLOG_MS = 250;
/** How long a refused client may take to read why. */
const REFUSAL_MS = 1_000;

type Arguments = { [Name in keyof LineServerEvents]: Parameters<LineServerEvents[Name]> };

/**
 * A Nest microservice server that speaks a plain-text line protocol over TCP or a Unix domain socket.
 *
 * Made by `LineTransportModule` or with `new LineServer(options)`, and handed to Nest as `strategy`. `app.listen()`
 * resolves with the bound address.
 */
@Injectable()
export class LineServer
  extends Server<LineServerEvents, LineServerStatus>
  implements CustomTransportStrategy, OnModuleDestroy
{
  override readonly transportId = LINE_TRANSPORT;
  readonly options: ResolvedLineServerOptions;
  readonly #events = new EventEmitter<Arguments>();
  /** The conversations that are not over. */
  readonly #connections = new Set<LineConnection>();
  /** Conversations that are over, their sockets still there; the longest first. */
  readonly #lingering = new Set<LineConnection>();
  /** Sockets of clients that were told why they are not served. */
  readonly #refused = new Set<Socket>();
  /** Connections taken from the kernel, whatever became of them. */
  #arrived = 0;
  #graceIsOver = false;
  readonly #host: ConversationHost;
  readonly #counts = {
    accepted: 0,
    refused: { maxConnections: 0 },
    ended: { quit: 0, client: 0, idle: 0, shutdown: 0, reset: 0, error: 0 },
    lines: 0,
    protocolErrors: { unknownCommand: 0, lineTooLong: 0 },
    handlerErrors: 0,
  };
  #commands: readonly string[] = [];
  #server: NetServer | undefined;
  #idleCheck: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {LineError} `ERR_LINE_OPTIONS` that names every wrong option */
  constructor(@Optional() @Inject(LINE_SERVER_OPTIONS) options: LineServerOptions = {}) {
    super();
    this.options = resolveLineOptions(options);
    this.#host = this.#hostConversations();
    this.#events.on('error', () => undefined); // without any listener Node would end the process
  }

  /** The known commands, in the order of registration. */
  get commands(): readonly string[] {
    return this.#commands;
  }

  /** What has happened so far; a copy. */
  stats(): LineServerStats {
    const { accepted, refused, ended, lines, protocolErrors, handlerErrors } = this.#counts;
    return {
      connections: {
        open: this.#connections.size,
        accepted,
        refused: { ...refused },
        ended: { ...ended },
      },
      lines,
      protocolErrors: { ...protocolErrors },
      handlerErrors,
    };
  }

  /** Listens to an event. A listener that throws ends the process, as with any Node emitter. */
  override on<Name extends keyof LineServerEvents>(
    event: Name,
    listener: LineServerEvents[Name],
  ): this {
    (this.#events as EventEmitter).on(event, listener);
    return this;
  }

  /**
   * The `net.Server` underneath.
   * @throws {LineError} `ERR_LINE_LISTEN` before `listen()`
   */
  override unwrap<T = NetServer>(): T {
    if (this.#server === undefined) {
      throw new LineError('ERR_LINE_LISTEN', 'The line server does not listen yet.');
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Nest lets the caller name the type
    return this.#server as T;
  }

  /**
   * Called by Nest for every handler. The same class in two modules is registered twice, and that is well.
   * @throws {LineError} `ERR_LINE_COMMAND` if another method answers the command already
   */
  override addHandler(
    pattern: MsPattern,
    callback: MessageHandler,
    isEventHandler?: boolean,
    extras?: Record<string, unknown>,
  ): void {
    refuseSecond(pattern, this.messageHandlers.get(this.normalizePattern(pattern))?.extras, extras);
    super.addHandler(pattern, callback, isEventHandler, extras);
    this.#commands = [...this.messageHandlers.keys()].filter((name) => name !== UNKNOWN_COMMAND);
  }

  /** A line is text: Nest's own lookup would read it as JSON, and `"TIME"` in quotes would find TIME. */
  override getHandlerByPattern(pattern: string): MessageHandler | null {
    return this.messageHandlers.get(pattern) ?? null;
  }

  /** Called by Nest. Calls back exactly once: with an `ERR_LINE_LISTEN` error, or with the bound address. */
  override listen(callback: (error?: unknown, address?: AddressInfo | string) => void): void {
    const { host, port, path, backlog, idleTimeoutMs } = this.options;
    const server = createServer(
      { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 },
      (socket) => this.#accept(socket),
    );
    this.#server = server;
    this.#closing = undefined;
    this.#graceIsOver = false;
    const onStartError = (error: NodeJS.ErrnoException): void => {
      callback(listenError(this.options, error));
    };
    server.once('error', onStartError);
    server.once('listening', () => {
      server.off('error', onStartError);
      server.on('error', (error) => this.#events.emit('error', error));
      const address = server.address() ?? '';
      if (idleTimeoutMs > 0) this.#watchIdle(idleTimeoutMs);
      this._status$.next('listening');
      this.#events.emit('listening', address);
      callback(undefined, address);
    });
    server.listen(
      path === undefined ? { ...(host && { host }), port, backlog } : { path, backlog },
    );
  }

  /**
   * Stops accepting, lets every line that has arrived be answered and delivered, and closes; conversations that are not
   * over after `shutdownGraceMs` are cut. Calling it again waits for the same end.
   */
  override close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  /** On a signal Nest destroys modules before it closes the transport: answers are finished first. */
  onModuleDestroy(): Promise<void> {
    return this.close();
  }

  async #drain(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this._status$.next('draining');
    this.#events.emit('draining', this.#connections.size);
    for (const connection of this.#connections) connection.drain();
    let cut = 0;
    const grace = setTimeout(() => {
      this.#graceIsOver = true;
      cut = this.#connections.size;
      for (const connection of this.#connections) connection.destroy('shutdown');
      for (const connection of this.#lingering) connection.destroy('shutdown');
      for (const socket of this.#refused) socket.destroy();
    }, this.options.shutdownGraceMs);
    await this.#takeBacklog();
    await new Promise((resolve) => {
      server.close(resolve);
    });
    clearTimeout(grace);
    clearInterval(this.#idleCheck);
    this._status$.next('closed');
    this.#events.emit('closed', cut);
  }

  /**
   * Accepts the connections that the kernel has accepted already: closing would give them a RST, whatever they have sent.
   * Node may take as few as one in a turn of the event loop, so it is asked until a turn brings none.
   */
  async #takeBacklog(): Promise<void> {
    const until = performance.now() + BACKLOG_MS;
    for (let before = -1; before !== this.#arrived && performance.now() < until;) {
      before = this.#arrived;
      await nextTurn();
      await nextTurn();
    }
  }

  #accept(socket: Socket): void {
    this.#arrived++;
    if (!this.#isFull()) {
      this.#serve(socket);
      return;
    }
    // The client may be one that has just left: its FIN is read in the next turn, polling included, at the latest.
    socket.on('error', () => undefined); // 'close' follows
    setImmediate(() => setImmediate(() => this.#acceptIfRoom(socket)));
  }

  #acceptIfRoom(socket: Socket): void {
    if (socket.destroyed) return;
    if (this.#graceIsOver) socket.destroy();
    else if (this.#isFull()) this.#refuse(socket);
    else this.#serve(socket);
  }

  #isFull(): boolean {
    return this.#connections.size >= this.options.maxConnections;
  }

  #serve(socket: Socket): void {
    if (this.#connections.size + this.#lingering.size >= this.options.maxConnections) {
      const [longest] = this.#lingering;
      longest?.destroy('shutdown');
    }
    const connection = new LineConnection(
      ++this.#counts.accepted,
      socket,
      peerOf(socket),
      this.#host,
    );
    this.#connections.add(connection);
    this.#events.emit('connection', connection);
    if (this.#graceIsOver) connection.destroy('shutdown');
    else if (this.#closing !== undefined) connection.drain();
  }

  /** Tells a client why it is not served; what it says meanwhile is dropped. */
  #refuse(socket: Socket): void {
    this.#counts.refused.maxConnections++;
    const peer = peerOf(socket);
    const timer = setTimeout(() => socket.destroy(), REFUSAL_MS);
    this.#refused.add(socket);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#refused.delete(socket);
    });
    const writer = new LineWriter(socket);
    writer.write(this.options.words.serverFull);
    writer.end();
    socket.resume();
    this.#events.emit('refused', peer, 'maxConnections');
  }

  #watchIdle(idleMs: number): void {
    this.#idleCheck = setInterval(
      () => {
        for (const connection of this.#connections) connection.endIfIdle(idleMs);
      },
      Math.min(idleMs, IDLE_CHECK_MS),
    ).unref();
  }

  #hostConversations(): ConversationHost {
    const { maxLineBytes, lineGraceMs, words } = this.options;
    return {
      maxLineBytes,
      lineGraceMs,
      words,
      isCommand: (line) => this.messageHandlers.has(line),
      answer: (line, connection) => this.#answer(line, connection),
      onReply: (connection, line) => this.#events.emit('reply', connection, line),
      onProtocolError: (connection, error) => {
        this.#counts.protocolErrors[error]++;
        this.#events.emit('protocolError', connection, error);
      },
      onHandlerError: (connection, line, error) => {
        this.#counts.handlerErrors++;
        this.#events.emit('handlerError', connection, line, error);
      },
      onOver: (connection, reason, error) => {
        this.#counts.ended[reason]++;
        this.#connections.delete(connection);
        this.#lingering.add(connection);
        this.#events.emit('disconnection', connection, reason, error);
      },
      onClosed: (connection) => this.#lingering.delete(connection),
    };
  }

  #answer(line: string, connection: LineConnection): unknown {
    this.#counts.lines++;
    this.#events.emit('request', connection, line);
    const known = this.messageHandlers.get(line);
    if (known !== undefined) return known('', new LineContext(line, connection, line));
    const fallback = this.messageHandlers.get(UNKNOWN_COMMAND);
    if (fallback !== undefined) {
      return fallback(line, new LineContext(line, connection, UNKNOWN_COMMAND));
    }
    this.#host.onProtocolError(connection, 'unknownCommand');
    return new ErrorLine(this.options.words.unknownCommand(this.#commands));
  }
}

function peerOf(socket: Socket): Peer {
  const { remoteAddress, remotePort } = socket;
  return { remoteAddress: remoteAddress?.replace(/^::ffff:(?=\d+\.)/, ''), remotePort };
}
