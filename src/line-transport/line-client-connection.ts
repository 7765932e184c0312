/**
 * LineClientConnection: one connection to a server, from dialling to the end. Requests go out, and what comes back is given
 * to who waits for it. Knows nothing of Nest, and never connects again: that is its owner's.
 */
import type { Socket } from 'node:net';
import { keepAlive } from './keep-alive.js';
import {
  closedError,
  connectError,
  connectTimeoutError,
  lostError,
  overlongError,
  unwrittenError,
} from './line-client-errors.js';
import type { ResolvedLineClientOptions } from './line-client-options.js';
import { dial } from './line-client-dial.js';
import { LINE, LineDecoder, OVERLONG } from './line-decoder.js';
import { LineError } from './line-errors.js';
import { type ReplyListener, ReplyQueue } from './reply-queue.js';

/** What a connection tells its owner. */
export interface ConnectionOwner {
  /** Requests can be made. */
  onOpen(): void;
  /** A line came that nobody waits for. */
  onUnsolicited(line: string): void;
  /** Nothing more will be sent or received; told once, before those who wait for replies are. */
  onOver(connection: LineClientConnection, error: LineError): void;
}

/** How long the server may take to close its side after ours; what it still sends is dropped. */
const LINGER_MS = 1_000;

export class LineClientConnection {
  readonly socket: Socket;
  /** Resolves when requests can be made; rejects with ERR_LINE_CONNECT, or ERR_LINE_CLOSED if it was closed before. */
  readonly opened: Promise<void>;
  /** Resolves when the socket and its timers are gone. */
  readonly gone: Promise<void>;
  readonly #options: ResolvedLineClientOptions;
  readonly #owner: ConnectionOwner;
  readonly #decoder: LineDecoder;
  readonly #replies: ReplyQueue;
  #resolveOpened!: () => void;
  #rejectOpened!: (error: LineError) => void;
  #state: 'opening' | 'open' | 'over' = 'opening';
  #socketError: NodeJS.ErrnoException | undefined;
  /** Lines without a reply that the system has not taken yet. */
  #untaken = 0;
  /** The limit of connecting while it lasts, of lingering when all is over. */
  #timer: NodeJS.Timeout;

  constructor(options: ResolvedLineClientOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#decoder = new LineDecoder(options.maxLineBytes);
    this.#replies = new ReplyQueue(options, (error) => this.#fail(error));
    this.opened = new Promise((resolve, reject) => {
      this.#resolveOpened = resolve;
      this.#rejectOpened = reject;
    });
    this.opened.catch(() => undefined); // an attempt that nobody waits for may fail too
    this.#timer = setTimeout(() => {
      this.#fail(connectTimeoutError(options));
    }, options.connectTimeoutMs);
    this.socket = dial(options);
    this.gone = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#closed();
        resolve();
      });
    });
    this.#listen();
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /**
   * Writes a line and gives its reply to the listener. Returns what makes the listener deaf.
   * @throws {LineError} `ERR_LINE_BUSY` if too many replies are owed already
   */
  request(line: string, listener: ReplyListener): () => void {
    this.#assertRoom(this.#replies.length, 'requests wait for replies');
    const unlisten = this.#replies.add(line, listener);
    this.#write(line);
    return unlisten;
  }

  /**
   * Writes a line that gets no reply. Resolves when the system has taken it.
   * @throws {LineError} `ERR_LINE_BUSY` if it has not taken as many already; `ERR_LINE_CLOSED`
   */
  async tell(line: string): Promise<void> {
    this.#assertRoom(this.#untaken, 'lines wait to be taken');
    this.#untaken++;
    await new Promise<void>((resolve, reject) => {
      this.#write(line, (error) => {
        this.#untaken--;
        // Node calls back without an error for what was still to be written when the socket was destroyed.
        if (error || this.socket.destroyed) reject(unwrittenError(this.#options, error));
        else resolve();
      });
    });
  }

  #assertRoom(waiting: number, what: string): void {
    const { maxPendingRequests } = this.#options;
    if (waiting < maxPendingRequests) return;
    throw new LineError('ERR_LINE_BUSY', `${maxPendingRequests} ${what} already.`);
  }

  /** Delivers what was written and closes; those who wait for replies get ERR_LINE_CLOSED. */
  close(): void {
    const wasOpen = this.#state === 'open';
    this.#finish(closedError(this.#options));
    if (wasOpen) this.#hangUp();
    else this.socket.destroy();
  }

  #listen(): void {
    const { socket } = this;
    socket.on(this.#options.tls === false ? 'connect' : 'secureConnect', () => this.#open());
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('end', () => this.#receiveEnd());
    socket.on('error', (error) => {
      this.#socketError = error; // 'close' follows
    });
  }

  #open(): void {
    clearTimeout(this.#timer);
    keepAlive(this.socket.setNoDelay(true), this.#options.keepAliveMs);
    this.#state = 'open';
    this.#owner.onOpen();
    this.#resolveOpened();
  }

  /** Lines written in one turn of the event loop leave in one write. */
  #write(line: string, callback?: (error?: Error | null) => void): void {
    const { socket } = this;
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    socket.write(`${line}\r\n`, callback);
  }

  #receive(chunk: Buffer): void {
    if (this.#state !== 'open') return;
    this.#decoder.push(chunk);
    this.#deliver();
  }

  #receiveEnd(): void {
    if (this.#state !== 'open') return;
    this.#decoder.finish();
    this.#deliver();
    this.#finish(lostError(this.#options));
    this.#hangUp();
  }

  #deliver(): void {
    while (this.#state === 'open') {
      const decoded = this.#decoder.next();
      if (decoded === undefined) return;
      if (decoded === OVERLONG) this.#fail(overlongError(this.#options));
      else if (decoded === LINE) this.#deliverLine(textOf(this.#decoder));
    }
  }

  #deliverLine(line: string): void {
    const taken = this.#replies.receive(line);
    if (taken instanceof LineError) this.#fail(taken);
    else if (!taken) this.#owner.onUnsolicited(line);
  }

  #closed(): void {
    const error = this.#socketError;
    const why = this.#state === 'opening' ? connectError : lostError;
    this.#finish(why(this.#options, error));
    clearTimeout(this.#timer);
  }

  #fail(error: LineError): void {
    this.#finish(error);
    this.socket.destroy();
  }

  #finish(error: LineError): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    clearTimeout(this.#timer);
    this.#rejectOpened(error);
    this.#owner.onOver(this, error);
    this.#replies.fail(error);
  }

  /** Closing with unread input would make the kernel send a RST, which can destroy what was written last. */
  #hangUp(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.socket.destroy(), LINGER_MS);
    this.socket.end();
  }
}

/** A reply is given as it came: blanks may mean something to who asked. */
function textOf({ bytes, start, end }: LineDecoder): string {
  return bytes.toString('utf8', start, end).replace(/\r$/, '');
}
