/**
 * LineClient: Nest's way to ask a line server, and the care for its connection: made when it is needed, made again when
 * it is lost. What goes over one connection is LineClientConnection's.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { ClientProxy, type ReadPacket } from '@nestjs/microservices';
import { BehaviorSubject, distinctUntilChanged, type Observable } from 'rxjs';
import { LineClientConnection } from './line-client-connection.js';
import { unconnectedError } from './line-client-errors.js';
import {
  type LineClientOptions,
  type ResolvedLineClientOptions,
  resolveLineClientOptions,
} from './line-client-options.js';
import type { LineError } from './line-errors.js';
import { requestLine } from './line-request.js';
import type { ReplyListener } from './reply-queue.js';

/**
 * What a client's connection is doing; emitted by `status`:
 * - `connected`: requests can be made
 * - `reconnecting`: it was lost, and attempts to make it again go on until one succeeds or `close()`
 * - `disconnected`: it was never made, or was closed; the next request makes it
 */
export type LineClientStatus = 'connected' | 'disconnected' | 'reconnecting';

/** The events of a line client and what their listeners are given. */
export type LineClientEvents = {
  /** The connection is made, the first time or again. */
  connection: () => void;
  /** The connection is over; the error says why, unless `close()` was called. */
  disconnection: (error?: LineError) => void;
  /** The connection was lost and could not be made again yet; the next attempt follows after `delayMs`. */
  reconnectFailed: (error: LineError, delayMs: number) => void;
  /** A line came that no request waits for: a greeting, a push, a reply to `emit()`. */
  unsolicited: (line: string) => void;
};

type Arguments = { [Name in keyof LineClientEvents]: Parameters<LineClientEvents[Name]> };

/**
 * A Nest `ClientProxy` that speaks a plain-text line protocol over TCP, TLS or a Unix domain socket. Requests share one
 * connection and need not wait for each other; replies come in the order of the requests.
 *
 * Made by `ClientsModule.register([{ name, customClass: LineClient, options }])` or with `new LineClient(options)`.
 *
 * - `send(command, data)` is cold: each subscription sends the line `command`, or `command data` if there is data (an array
 *   is written as words, each in quotes where it must be), emits each line of the reply and completes. Nest wants data: give `''` for none.
 * - `emit(command, data)` sends, subscribed to or not, a line that gets no reply. Wait for it to complete before `close()`.
 *
 * Both connect if need be, and fail with a {@link LineError}: `ERR_LINE_REQUEST`, `ERR_LINE_CONNECT`, `ERR_LINE_CLOSED`;
 * `send` also with `ERR_LINE_TIMEOUT`, `ERR_LINE_TOO_LONG` and `ERR_LINE_BUSY`. Nothing is ever sent twice.
 */
export class LineClient extends ClientProxy<LineClientEvents> {
  /** The options it runs with, defaults filled in. */
  readonly options: ResolvedLineClientOptions;
  readonly #status = new BehaviorSubject<LineClientStatus>('disconnected');
  readonly #events = new EventEmitter<Arguments>();
  #connection: LineClientConnection | undefined;
  /** Whether a lost connection is to be made again: it was made once, and not closed since. */
  #persistent = false;
  #connectedAt = 0;
  #attempts = 0;
  #reconnect: NodeJS.Timeout | undefined;
  /** Resolves when every connection there was is gone. */
  #gone: Promise<unknown> = Promise.resolve();

  /** @throws {LineError} `ERR_LINE_OPTIONS` that names every wrong option */
  constructor(options: LineClientOptions = {}) {
    super();
    this.options = resolveLineClientOptions(options);
  }

  /** What the connection is doing: now, and whenever it changes. */
  override get status(): Observable<LineClientStatus> {
    return this.#status.pipe(distinctUntilChanged());
  }

  /**
   * Connects, if there is no connection yet; does not wait for a delay before an attempt that is due.
   * @throws {LineError} `ERR_LINE_CONNECT`, or `ERR_LINE_CLOSED` if `close()` is called meanwhile
   */
  override connect(): Promise<void> {
    clearTimeout(this.#reconnect);
    this.#connection ??= this.#dial();
    return this.#connection.opened;
  }

  /**
   * Delivers what was written, fails what waits for a reply, and connects no more. Resolves when no socket and no timer
   * is left, after a second at the latest; never rejects. Calling it again waits for the same end; a later request or
   * `connect()` begins anew.
   */
  override async close(): Promise<void> {
    const connection = this.#connection;
    clearTimeout(this.#reconnect);
    this.#persistent = false;
    this.#attempts = 0;
    this.#connection = undefined;
    this.#status.next('disconnected');
    if (connection !== undefined) {
      const wasOpen = connection.isOpen;
      connection.close();
      if (wasOpen) this.#events.emit('disconnection');
    }
    await this.#gone;
  }

  /** Listens to an event, on this connection and all later ones. A listener that throws ends the process. */
  override on<Name extends keyof LineClientEvents>(
    event: Name,
    listener: LineClientEvents[Name],
  ): this {
    (this.#events as EventEmitter).on(event, listener);
    return this;
  }

  /**
   * The `net.Socket` (`tls.TLSSocket`) of the connection.
   * @throws {LineError} `ERR_LINE_CLOSED` if there is no connection
   */
  override unwrap<T = Socket>(): T;
  override unwrap(): Socket {
    return this.#connected().socket;
  }

  protected override publish(packet: ReadPacket, callback: ReplyListener): () => void {
    try {
      const line = requestLine(packet.pattern, packet.data);
      return this.#connected().request(line, callback);
    } catch (err) {
      callback({ err });
      return () => undefined;
    }
  }

  protected override async dispatchEvent<T = void>(packet: ReadPacket): Promise<T>;
  protected override async dispatchEvent(packet: ReadPacket): Promise<void> {
    const line = requestLine(packet.pattern, packet.data);
    await this.#connected().tell(line);
  }

  #dial(): LineClientConnection {
    const connection = new LineClientConnection(this.options, {
      onOpen: () => this.#onOpen(),
      onUnsolicited: (line) => this.#events.emit('unsolicited', line),
      onOver: (over, error) => this.#onOver(over, error),
    });
    this.#gone = Promise.all([this.#gone, connection.gone]).then(() => undefined);
    return connection;
  }

  #connected(): LineClientConnection {
    if (this.#connection?.isOpen === true) return this.#connection;
    throw unconnectedError(this.options);
  }

  #onOpen(): void {
    this.#persistent = true;
    this.#connectedAt = performance.now();
    this.#status.next('connected');
    if (this.#status.value === 'connected') this.#events.emit('connection'); // whoever was told may have closed
  }

  #onOver(connection: LineClientConnection, error: LineError): void {
    if (this.#connection !== connection) return; // it was closed
    this.#connection = undefined;
    if (!this.#persistent) return;
    if (error.code === 'ERR_LINE_CONNECT') {
      this.#events.emit('reconnectFailed', error, this.#reconnectLater());
      return;
    }
    // A server that accepts and closes at once, as a full one does, is not to be hurried either.
    const lasted = performance.now() - this.#connectedAt;
    if (lasted >= this.options.reconnectMaxDelayMs) this.#attempts = 0;
    this.#reconnectLater();
    this.#status.next('reconnecting');
    this.#events.emit('disconnection', error);
  }

  /** Sets the next attempt; the random part keeps the clients of a restarted server from coming all at once. */
  #reconnectLater(): number {
    const { reconnectInitialDelayMs, reconnectMaxDelayMs } = this.options;
    const delayMs = Math.min(reconnectInitialDelayMs * 2 ** this.#attempts++, reconnectMaxDelayMs);
    const jitteredMs = Math.round(delayMs * (1 - Math.random() / 2));
    this.#reconnect = setTimeout(() => void this.connect(), jitteredMs);
    return jitteredMs;
  }
}
