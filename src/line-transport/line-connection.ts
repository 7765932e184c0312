/**
 * LineConnection: one client. It reads lines, has each answered in order, and says the replies; every way in which a
 * conversation can end is here. Knows nothing of Nest: who answers is its {@link ConversationHost}.
 */
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LineDecoder, OVERLONG } from './line-decoder.js';
import type { LineWords, ProtocolError } from './line-errors.js';
import type { EndReason, Peer } from './line-events.js';
import {
  Closing,
  ErrorLine,
  isLineStream,
  type LineStream,
  repliesOf,
  replyLines,
} from './line-reply.js';
import { lineText } from './line-text.js';
import { LineWriter } from './line-writer.js';
import { TIMING_MARK, WONT_TIMING_MARK } from './telnet-filter.js';

/** What a connection needs of the server it belongs to. */
export interface ConversationHost {
  readonly maxLineBytes: number;
  readonly lineGraceMs: number;
  readonly words: LineWords;
  /** Whether this line may be answered after the line grace, before its end has come. */
  isCommand(line: string): boolean;
  /** What a line is answered: a reply, a stream of replies, a promise of either, or an ErrorLine. May throw. */
  answer(line: string, connection: LineConnection): unknown;
  onReply(connection: LineConnection, line: string): void;
  onProtocolError(connection: LineConnection, error: ProtocolError): void;
  onHandlerError(connection: LineConnection, line: string, error: unknown): void;
  /** The conversation is over; the socket may live on a moment to take what the client still sends. */
  onOver(connection: LineConnection, reason: EndReason, error?: Error): void;
  /** The socket is gone. */
  onClosed(connection: LineConnection): void;
}

/** Input that may wait for its answer before reading is paused. */
const MAX_PENDING_BYTES = 65_536;

/** Lines served before other connections get their turn: about a millisecond through Nest's pipeline. */
const LINES_PER_TURN = 256;

/**
 * After our FIN, what the client still sends is read and dropped until it has been quiet for LINGER_QUIET_MS: closing
 * with unread input makes the kernel send a RST (RFC 1122, 4.2.2.13), which can destroy replies the client has not read.
 */
const LINGER_QUIET_MS = 1_000;
const LINGER_MAX_MS = 10_000;

const CONNECTION = Symbol('connection');
type ConversingStream = Duplex & { [CONNECTION]: LineConnection };

export class LineConnection implements Peer {
  /**
   * The same functions listen for every connection, which they find by its socket: six closures for each would be a third of
   * what an idle connection costs (bench/idle-memory.mjs).
   */
  static readonly #listeners = Object.entries({
    data: function (this: ConversingStream, chunk: Buffer): void {
      this[CONNECTION].#receive(chunk);
    },
    end: function (this: ConversingStream): void {
      this[CONNECTION].#receiveEnd();
    },
    drain: function (this: ConversingStream): void {
      this[CONNECTION].#resume();
    },
    finish: function (this: ConversingStream): void {
      this[CONNECTION].#linger();
    },
    error: function (this: ConversingStream, error: NodeJS.ErrnoException): void {
      this[CONNECTION].#fail(error);
    },
    close: function (this: ConversingStream): void {
      this[CONNECTION].#close();
    },
  });

  readonly remoteAddress: string | undefined;
  readonly remotePort: number | undefined;

  readonly #socket: Duplex;
  readonly #host: ConversationHost;
  readonly #decoder: LineDecoder;
  readonly #writer: LineWriter;
  #conversing = false;
  #draining = false;
  #inputEnded = false;
  /** Set as soon as no further line is to be served. */
  #endReason: EndReason | undefined;
  #over = false;
  /** The stream that is being answered, to be let go of when the client goes. */
  #stream: AsyncIterator<unknown> | undefined;
  /** Nothing happens until the client sends or reads. */
  #clientsTurn = true;
  #lastActive = performance.now();
  #chunksReceived = 0;
  #graceTimer: NodeJS.Timeout | undefined;
  #lingerTimer: NodeJS.Timeout | undefined;
  #lingerUntil = 0;

  /**
   * @param id unique in its server
   * @param socket an open stream whose sides end one by one (`allowHalfOpen`)
   */
  constructor(
    readonly id: number,
    socket: Duplex,
    peer: Peer,
    host: ConversationHost,
  ) {
    this.remoteAddress = peer.remoteAddress;
    this.remotePort = peer.remotePort;
    this.#socket = socket;
    this.#host = host;
    this.#decoder = new LineDecoder(host.maxLineBytes);
    this.#writer = new LineWriter(socket);
    Object.assign(socket, { [CONNECTION]: this });
    for (const [event, listener] of LineConnection.#listeners) socket.on(event, listener);
    if (socket.readableEnded) this.#receiveEnd(); // a client that sent nothing but its FIN while it had to wait
  }

  /** Whether the conversation is over, although the socket may still be there. */
  get over(): boolean {
    return this.#over;
  }

  /** Delivers what was said, then a last line if one is given, and ends the conversation. */
  end(reason: EndReason, lastLine?: string): void {
    if (this.#endReason !== undefined) return;
    this.#endReason = reason;
    clearTimeout(this.#graceTimer);
    if (lastLine !== undefined) this.#writer.write(lastLine);
    this.#writer.end();
    this.#socket.resume();
  }

  /** Ends the conversation as soon as every line that has arrived is answered. */
  drain(): void {
    this.#draining = true;
    clearTimeout(this.#graceTimer);
    if (!this.#conversing) this.#rest();
  }

  /** Cuts the connection; replies not yet delivered are lost. */
  destroy(reason: EndReason): void {
    this.#setOver(reason); // now, not when the socket is gone: a server that closes is told of every end before its own
    this.#socket.destroy();
  }

  /** Ends the conversation if it has been the client's turn for this long. */
  endIfIdle(idleMs: number): void {
    if (!this.#clientsTurn || performance.now() - this.#lastActive < idleMs) return;
    if (this.#endReason === undefined && this.#writer.blocked === undefined) {
      this.end('idle', this.#host.words.idleTimeout);
    } else {
      this.destroy('idle'); // it does not read: a line would not reach it either
    }
  }

  #receive(chunk: Buffer): void {
    this.#touch();
    if (this.#endReason !== undefined) {
      if (this.#lastActive < this.#lingerUntil) this.#lingerTimer?.refresh();
      return;
    }
    this.#chunksReceived++;
    clearTimeout(this.#graceTimer);
    this.#decoder.push(chunk);
    this.#converse();
    if (this.#decoder.pendingBytes > MAX_PENDING_BYTES) this.#socket.pause();
  }

  /** The client has read what it was told. */
  #resume(): void {
    this.#touch();
    this.#writer.unblock();
  }

  #receiveEnd(): void {
    this.#inputEnded = true;
    if (this.#endReason !== undefined) return;
    clearTimeout(this.#graceTimer);
    this.#decoder.end();
    this.#converse();
  }

  #converse(): void {
    if (!this.#conversing) void this.#answerLines();
  }

  /** The conversation: one line at a time, in order, no faster than the client reads what it is told. */
  async #answerLines(): Promise<void> {
    this.#conversing = true;
    this.#clientsTurn = false;
    for (let served = 1; this.#endReason === undefined; served++) {
      const decoded = this.#decoder.next();
      if (decoded === undefined) break;
      if (decoded === OVERLONG) {
        this.#host.onProtocolError(this, 'lineTooLong');
        this.#writer.write(this.#host.words.lineTooLong(this.#host.maxLineBytes));
      } else if (decoded === TIMING_MARK) {
        this.#writer.writeBytes(WONT_TIMING_MARK);
      } else {
        await this.#answer(lineText(decoded));
      }
      if (this.#writer.blocked !== undefined) await this.#untilRead();
      if (served % LINES_PER_TURN === 0) await nextTurn();
    }
    this.#conversing = false;
    this.#rest();
  }

  async #answer(line: string): Promise<void> {
    try {
      const answer = await this.#host.answer(line, this);
      if (answer instanceof ErrorLine) {
        this.#writer.write(answer.line);
      } else if (isLineStream(answer)) {
        await this.#sayEach(answer);
      } else {
        this.#say(answer);
      }
    } catch (error) {
      this.#host.onHandlerError(this, line, error);
      this.#writer.write(this.#host.words.serverError);
    }
  }

  async #sayEach(answer: LineStream): Promise<void> {
    const replies = repliesOf(answer);
    this.#stream = replies;
    try {
      while (this.#endReason === undefined) {
        const reply = await replies.next();
        if (reply.done === true) return;
        this.#say(reply.value);
        await this.#untilRead();
      }
    } finally {
      this.#stream = undefined;
      await replies.return?.();
    }
  }

  #say(reply: unknown): void {
    if (this.#endReason !== undefined) return;
    for (const line of replyLines(reply)) {
      this.#host.onReply(this, this.#writer.write(line));
    }
    if (reply instanceof Closing) this.end('quit');
  }

  async #untilRead(): Promise<void> {
    this.#clientsTurn = true;
    await this.#writer.blocked;
    this.#clientsTurn = false;
  }

  /** Every line that has arrived is answered. */
  #rest(): void {
    this.#clientsTurn = true;
    if (this.#endReason !== undefined) return;
    this.#touch();
    if (this.#inputEnded) {
      this.end('client');
      return;
    }
    if (this.#socket.isPaused()) this.#socket.resume();
    if (this.#draining) this.#endWhenQuiet();
    else if (this.#spellsCommand()) this.#awaitLineEnd();
  }

  #spellsCommand(): boolean {
    const unfinished = this.#decoder.unfinished;
    return (
      this.#host.lineGraceMs > 0 &&
      unfinished !== undefined &&
      this.#host.isCommand(lineText(unfinished))
    );
  }

  #awaitLineEnd(): void {
    this.#graceTimer = setTimeout(() => {
      // Timers run before the sockets are polled: after a busy turn the rest of the line may be there already.
      this.#ifStillQuiet(1, () => {
        if (this.#spellsCommand()) this.#serveUnfinished();
      });
    }, this.#host.lineGraceMs);
  }

  #endWhenQuiet(): void {
    // A whole turn of the event loop, polling included, in which nothing came: nothing is left in the kernel either.
    this.#ifStillQuiet(2, () => {
      if (this.#spellsCommand()) this.#serveUnfinished();
      else this.end('shutdown');
    });
  }

  #ifStillQuiet(turns: number, then: () => void): void {
    const before = this.#chunksReceived;
    const check = (left: number): void => {
      if (left > 0) {
        setImmediate(check, left - 1);
      } else if (before === this.#chunksReceived && !this.#conversing && !this.#inputEnded) {
        if (this.#endReason === undefined) then();
      }
    };
    check(turns);
  }

  #serveUnfinished(): void {
    this.#decoder.finishLine();
    this.#converse();
  }

  /** Everything is delivered to the kernel, our FIN behind it. */
  #linger(): void {
    this.#setOver(this.#endReason);
    if (this.#inputEnded) return;
    this.#lingerUntil = performance.now() + LINGER_MAX_MS;
    this.#lingerTimer = setTimeout(() => this.#socket.destroy(), LINGER_QUIET_MS);
  }

  #fail(error: NodeJS.ErrnoException): void {
    const cut = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    this.#setOver(cut ? 'reset' : 'error', error);
  }

  #close(): void {
    clearTimeout(this.#graceTimer);
    clearTimeout(this.#lingerTimer);
    this.#writer.unblock();
    this.#setOver(this.#endReason);
    this.#host.onClosed(this);
  }

  #setOver(reason: EndReason = 'error', error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#endReason ??= reason;
    void this.#letGoOfStream();
    this.#host.onOver(this, reason, error);
  }

  async #letGoOfStream(): Promise<void> {
    try {
      await this.#stream?.return?.();
    } catch {
      // The client is gone: nobody is left to be told that its stream did not stop well.
    }
  }

  #touch(): void {
    this.#lastActive = performance.now();
  }
}
