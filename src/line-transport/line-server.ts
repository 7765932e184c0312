/**
 * LineServer: the strategy that Nest listens with. It makes a command of each handler that Nest brings, and closes in order: the
 * conversations finish first. What one client says and is told is LineConnection's; who comes in is LineListener's.
 */
import type { AddressInfo, Server as NetServer } from 'node:net';
import type { TlsOptions } from 'node:tls';
import type { Duplex } from 'node:stream';
import { Inject, Injectable, Logger, type OnModuleDestroy, Optional } from '@nestjs/common';
import {
  type CustomTransportStrategy,
  type MessageHandler,
  type MsPattern,
  Server,
} from '@nestjs/microservices';
import { BufferedBytes } from './buffered-bytes.js';
import { LINE_TRANSPORT } from './command.decorator.js';
import { CommandDispatch } from './command-dispatch.js';
import { CommandTable } from './command-table.js';
import { areHooksDeclared, ConnectionHooks } from './connection-hooks.js';
import { DirectDispatch } from './direct-dispatch.js';
import { DescriptorWatch, roomForSockets } from './descriptors.js';
import { answerLinesExceptions } from './filter-outcomes.js';
import type { ConversationHost } from './conversation-host.js';
import { LineConnection } from './line-connection.js';
import { inject } from './injection.js';
import type { LineHost } from './line-admission.js';
import { LineConnections } from './line-connections.js';
import { registeredFor } from './line-context.js';
import { LineError } from './line-errors.js';
import type {
  EndReason,
  LineServerEvents,
  LineServerStats,
  LineServerStatus,
  ServedCommand,
} from './line-events.js';
import { LineJournal } from './line-journal.js';
import { LineListener, type Place } from './line-listener.js';
import {
  connectionsPerAddress,
  LINE_SERVER_OPTIONS,
  type LineServerOptions,
  type ResolvedLineServerOptions,
  resolveLineOptions,
} from './line-options.js';
import type { Peer } from './line-peer.js';
import { closedEarly, listenError, NO_HANDLERS, streamFault } from './line-server-errors.js';
import { tlsFault } from './tls-renewal.js';

/** By how much a limit of time may be exceeded, at the most. */
const CHECK_MS = 1_000;

const NO_HOOKS =
  'There are @OnConnect() or @OnDisconnect() methods, but this server was made without LineTransportModule and calls none.';

/** Where the clients of {@link LineServer.inject} seem to come from. */
const LOCAL: Peer = { remoteAddress: '127.0.0.1' };

/**
 * A Nest microservice server that speaks a plain-text line protocol over TCP, TLS or a Unix domain socket.
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
  protected override readonly logger = new Logger(LineServer.name);
  readonly #hooks: ConnectionHooks | undefined;
  readonly #journal = new LineJournal();
  readonly #commands: CommandTable;
  readonly #dispatch: CommandDispatch;
  readonly #connections: LineConnections;
  readonly #buffered: BufferedBytes;
  readonly #host: ConversationHost;
  #listener: LineListener | undefined;
  #options: ResolvedLineServerOptions;
  #closing: Promise<void> | undefined;

  /**
   * @param hooks finds the connection hooks; without `LineTransportModule` there are none
   * @param direct finds the methods to call without Nest's pipeline; without `LineTransportModule` there are none
   * @throws {LineError} `ERR_LINE_OPTIONS` that names every wrong option
   */
  constructor(
    @Optional() @Inject(LINE_SERVER_OPTIONS) options: LineServerOptions = {},
    @Optional() hooks?: ConnectionHooks,
    @Optional() direct?: DirectDispatch,
  ) {
    super();
    answerLinesExceptions();
    this.#options = resolveLineOptions(options);
    this.#hooks = hooks;
    const { maxConnections, maxConnectionsPerAddress, maxBufferedBytes } = this.options;
    const descriptors = new DescriptorWatch((error) => this.#journal.failListening(error));
    const connections = new LineConnections(maxConnections, maxConnectionsPerAddress, (now) =>
      descriptors.look(now),
    );
    this.#connections = connections;
    this.#buffered = new BufferedBytes(
      maxBufferedBytes,
      () => connections.open.size,
      (isStrained, total) => this.#journal.tell('strained', isStrained, total),
    );
    this.#commands = new CommandTable(this.options.ignoreCase, (handler) => {
      if (this.options.dispatch === 'pipeline') return 'is on a server that is told to use it';
      return direct?.callOf(handler) ?? 'is on a server made without LineTransportModule';
    });
    this.#dispatch = new CommandDispatch(this.#commands, this.options, this.#journal, this.logger);
    this.#host = this.#hostConversations();
  }

  /** The options it runs with, defaults filled in. */
  get options(): ResolvedLineServerOptions {
    return this.#options;
  }

  /** What it answers, in the order of registration, and how each is reached. */
  get commands(): readonly ServedCommand[] {
    return this.#dispatch.served();
  }

  /** The conversations that are not over; it changes as clients come and go. */
  get connections(): ReadonlySet<LineConnection> {
    return this.#connections.open;
  }

  /** What has happened so far; a copy. */
  stats(): LineServerStats {
    const { open, arriving, most } = this.#connections;
    const now = { open: open.size, arriving, max: most };
    return this.#journal.stats(now, this.#buffered.total);
  }

  /** Listens to an event. A listener that throws ends the process, as with any Node emitter. */
  override on<Name extends keyof LineServerEvents>(
    event: Name,
    listener: LineServerEvents[Name],
  ): this {
    this.#journal.on(event, listener);
    return this;
  }

  /**
   * The `net.Server` underneath; a `tls.Server` with the option `tls`.
   * @throws {LineError} `ERR_LINE_LISTEN` before `listen()`, and once `close()` was called
   */
  override unwrap<T = NetServer>(): T {
    if (this.#listener === undefined) {
      throw new LineError('ERR_LINE_LISTEN', 'The line server does not listen.');
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Nest lets the caller name the type
    return this.#listener.server as T;
  }

  /**
   * Agrees on TLS with these options from now on, as for a certificate that is about to expire; conversations go on as they are. They
   * take the place of the old ones as a whole: what is left out is not kept.
   *
   * @param options what `tls.Server.setSecureContext` takes. Others, as `requestCert`, are to be as they were
   * @throws {LineError} `ERR_LINE_OPTIONS` if they are refused, or if the server was made without TLS; then nothing has changed
   */
  setTls(options: TlsOptions): void {
    const fault = tlsFault(this.options.tls, options);
    if (fault !== undefined) throw new LineError('ERR_LINE_OPTIONS', fault);
    this.#listener?.setTls(options);
    this.#options = { ...this.options, tls: options };
  }

  /**
   * Called by Nest for every handler. The same class in two modules is registered twice, and that is well.
   * @throws {LineError} `ERR_LINE_COMMAND` if another method answers the command already
   */
  override addHandler(
    pattern: MsPattern,
    callback: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    super.addHandler(pattern, callback, isEventHandler, extras);
    const name = super.normalizePattern(pattern);
    this.#commands.add(name, callback, isEventHandler, extras);
  }

  /** A line is text: Nest's own lookup would read it as JSON, and `"TIME"` in quotes would find TIME. */
  override getHandlerByPattern(pattern: string): MessageHandler | null {
    return this.#commands.find(pattern)?.handler ?? null;
  }

  protected override normalizePattern(pattern: MsPattern): string {
    return this.#commands.keyOf(super.normalizePattern(pattern));
  }

  override setOnProcessingStartHook(...hook: Parameters<Server['setOnProcessingStartHook']>): void {
    super.setOnProcessingStartHook(...hook);
    this.#observe();
  }

  override setOnProcessingEndHook(...hook: Parameters<Server['setOnProcessingEndHook']>): void {
    super.setOnProcessingEndHook(...hook);
    this.#observe();
  }

  /**
   * Called by Nest. Calls back exactly once: with an `ERR_LINE_LISTEN` error, or with the bound address. It waits for a close that
   * is going on; one that comes before it listens is such an error, and so is a server that listens already.
   */
  override listen(callback: (error?: unknown, address?: AddressInfo | string) => void): void {
    void this.#listen(callback);
  }

  /**
   * Serves a client that came by another way than the listening socket: over any stream of bytes whose sides end one by one
   * (`allowHalfOpen`). It counts as a connection like others, but is never refused.
   *
   * @param peer what is to be known of the client. Default: nothing
   * @throws {LineError} `ERR_LINE_CONNECT` before `app.init()`, when no handler is there yet; for a stream that is destroyed; and
   *   for one whose bytes are read as text (`setEncoding`)
   */
  serve(stream: Duplex, peer: Peer = {}): LineConnection {
    const isEarly = this.#commands.size === 0 && this.#listener === undefined;
    const fault = isEarly ? NO_HANDLERS : streamFault(stream);
    if (fault !== undefined) throw new LineError('ERR_LINE_CONNECT', fault);
    return this.#accept(stream, peer);
  }

  #accept(stream: Duplex, peer: Peer): LineConnection {
    const connections = this.#connections;
    connections.makeRoom();
    const connection = new LineConnection(this.#journal.accept(), stream, peer, this.#host);
    connections.add(connection, () => this.#checkMs());
    this.#journal.tell('connection', connection);
    connection.open();
    if (connections.isCut) connection.destroy('shutdown');
    else if (this.#closing !== undefined) connection.drain();
    return connection;
  }

  /**
   * What a client is told that sends this one line and closes its side, without any socket: after `app.init()`, `listen()` is not
   * needed. For more than one line there is `LineConversation` of the testing kit.
   *
   * @param peer what is to be known of the client. Default: 127.0.0.1
   * @returns the lines of the reply, separated by LF; an empty string if there are none. A greeting is not part of it
   * @throws {LineError} `ERR_LINE_CONNECT` before `app.init()`, when no handler is there yet; `ERR_LINE_CLOSED` once the server is
   *   being closed, and if the conversation is cut
   */
  async inject(line: string, peer: Peer = LOCAL): Promise<string> {
    if (this.#closing !== undefined) {
      throw new LineError('ERR_LINE_CLOSED', 'The line server is closed: nothing can be injected.');
    }
    return inject((stream) => this.serve(stream, peer), line);
  }

  /**
   * Stops accepting, lets every line that has arrived be answered and delivered, and closes; conversations that are not
   * over after `shutdownGraceMs` are cut. Calling it again waits for the same end.
   */
  override close(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    // A moment later: whoever is told of the draining may call close(), too.
    this.#closing ??= Promise.resolve().then(() => this.#drain(listener));
    return this.#closing;
  }

  /** On a signal Nest destroys modules before it closes the transport: answers are finished first. */
  onModuleDestroy(): Promise<void> {
    return this.close();
  }

  async #listen(
    callback: (error?: unknown, address?: AddressInfo | string) => void,
  ): Promise<void> {
    let address: AddressInfo | string;
    try {
      address = await this.#openListener();
    } catch (error) {
      callback(error);
      return;
    }
    this._status$.next('listening');
    this.#journal.tell('listening', address);
    callback(undefined, address);
  }

  async #openListener(): Promise<AddressInfo | string> {
    if (this.#listener !== undefined) {
      throw new LineError('ERR_LINE_LISTEN', 'The line server listens already.');
    }
    if (this.#hooks === undefined && areHooksDeclared()) this.logger.warn(NO_HOOKS);
    this.#hooks?.find();
    let listener: LineListener | undefined;
    try {
      listener = new LineListener(this.#hostListener(), this.options);
      this.#listener = listener;
      return await this.#listenWith(listener);
    } catch (error) {
      if (this.#listener === listener) this.#listener = undefined;
      throw listenError(this.options, error);
    }
  }

  /** While a listener is the server's own, `close()` has not been called. */
  async #listenWith(listener: LineListener): Promise<AddressInfo | string> {
    await this.#closing; // the end of its grace would cut whom this listener brings
    if (this.#listener !== listener) throw closedEarly();
    this.#closing = undefined;
    this.#connections.reopen();
    this.#keepWithinDescriptors(listener);
    const { acceptor } = this.options;
    const address = await (acceptor === undefined
      ? listener.listen(this.#place())
      : listener.takeFrom(acceptor));
    if (this.#listener !== listener) throw closedEarly();
    return address;
  }

  #place(): Place {
    const { host, port, path, fd } = this.options;
    if (fd !== undefined) return { fd };
    return path === undefined ? { ...(host && { host }), port } : { path };
  }

  /** Conversations beyond what the system has descriptors for could not even be told that there is no room for them. */
  #keepWithinDescriptors(listener: LineListener): void {
    const { maxConnections, maxConnectionsPerAddress } = this.options;
    this.#connections.limit(maxConnections, maxConnectionsPerAddress);
    const descriptors = roomForSockets();
    if (descriptors === undefined) return;
    const { room, reserve, limit } = descriptors;
    listener.lower(Math.max(room - maxConnections, 0) + Math.floor(reserve / 2));
    if (room >= maxConnections) return;
    const isShare = maxConnectionsPerAddress === connectionsPerAddress(maxConnections);
    const perAddress = isShare ? connectionsPerAddress(room) : maxConnectionsPerAddress;
    this.#connections.limit(room, perAddress);
    this.logger.warn(
      `maxConnections is ${room}, not ${maxConnections}: the system lets this process open ${limit} files (ulimit -n).`,
    );
  }

  async #drain(listener: LineListener | undefined): Promise<void> {
    const connections = this.#connections;
    if (listener === undefined && connections.isEmpty) return;
    this._status$.next('draining');
    this.#journal.tell('draining', connections.open.size);
    connections.drain();
    let cut = 0;
    const grace = setTimeout(() => {
      cut = connections.cut();
      listener?.cut();
    }, this.options.shutdownGraceMs);
    await listener?.close();
    await connections.untilEmpty();
    clearTimeout(grace);
    this._status$.next('closed');
    this.#journal.tell('closed', cut);
  }

  /** Often enough that a handler's limit, which begins when it is first looked at, is exceeded by no more than its half. */
  #checkMs(): number {
    const { idleTimeoutMs, lineTimeoutMs, writeTimeoutMs, handlerTimeoutMs } = this.options;
    const own = [idleTimeoutMs, lineTimeoutMs, writeTimeoutMs, handlerTimeoutMs];
    const limits = [...own, ...this.#commands.timeouts];
    return Math.min(...limits.filter((limit) => limit > 0), CHECK_MS) / 4;
  }

  #hostListener(): LineHost {
    return {
      refusal: this.options.words.serverFull,
      refusalFor: (address) => this.#connections.refusalFor(address),
      keepPlace: (address) => this.#connections.keepPlace(address),
      serve: (socket, peer) => this.#accept(socket, peer),
      onRefused: (peer, reason) => this.#journal.refuse(peer, reason),
      onError: (error) => this.#journal.failListening(error),
    };
  }

  #hostConversations(): ConversationHost {
    const { handlerTimeoutMs } = this.options;
    const [commands, dispatch, journal] = [this.#commands, this.#dispatch, this.#journal];
    return {
      ...this.options,
      isWhole: (line) => commands.isWhole(line),
      welcome: (connection) => {
        const said = this.#welcome(connection);
        return said === undefined ? undefined : dispatch.welcome(connection, said);
      },
      measure: () => journal.measure(),
      answer: (connection, decoder, measured) => dispatch.answer(connection, decoder, measured),
      errorLine: (context, error) => dispatch.errorLine(context, error),
      timeoutMsOf: (context) => registeredFor(context)?.timeoutMs ?? handlerTimeoutMs,
      isSilent: (context) => registeredFor(context)?.isEvent ?? false,
      onServed: (context) => dispatch.finish(context),
      onAnswered: (connection, answered) => journal.answered(connection, answered),
      onReceived: (bytes) => journal.receive(bytes),
      onSent: (bytes) => journal.send(bytes),
      onReply: (connection, line) => journal.reply(connection, line),
      onProtocolError: (connection, error) => journal.protocolError(connection, error),
      onPaused: (connection, reason) => journal.pause(connection, reason),
      onHeld: (connection, held, grown) => this.#buffered.change(connection, held, grown),
      onOver: (connection, reason, error) => {
        this.#connections.end(connection);
        journal.end(connection, reason, error);
        if (this.#hooks?.hasFarewell === true) this.#bidFarewell(this.#hooks, connection, reason);
      },
      onClosed: (connection) => this.#connections.remove(connection),
    };
  }

  /** What is said to a client that has connected; `undefined` if nothing is to be done. */
  #welcome(connection: LineConnection): unknown {
    const { greeting } = this.options;
    return this.#hooks?.hasWelcome === true ? this.#hooks.welcome(connection, greeting) : greeting;
  }

  #bidFarewell(hooks: ConnectionHooks, connection: LineConnection, reason: EndReason): void {
    const onFailure = (error: unknown): void => this.#dispatch.fail(connection, '', error);
    const { handlerTimeoutMs } = this.options;
    void this.#connections.await(hooks.farewell(connection, reason, handlerTimeoutMs, onFailure));
  }

  #observe(): void {
    this.#dispatch.processingHooks = {
      onStart: (context, done) => this.onProcessingStartHook(this.transportId, context, done),
      onEnd: (context) => this.onProcessingEndHook?.(this.transportId, context),
    };
  }
}
