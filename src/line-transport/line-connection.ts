/**
 * LineConnection: one client. It reads lines and has each answered in order; every way in which a conversation can end is here.
 * Knows nothing of Nest: who answers is its {@link ConversationHost}, and how that is said is LineAnswers'.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ClientLimits, type LimitReason } from './client-limits.js';
import type { ConversationHost } from './conversation-host.js';
import { keepAlive } from './keep-alive.js';
import { LineAnswers } from './line-answers.js';
import { LINE, LineDecoder, OVERLONG } from './line-decoder.js';
import type { EndReason, PauseReason } from './line-events.js';
import type { Peer, TlsFacts } from './line-peer.js';
import { type LateAnswer, replyLines } from './line-reply.js';
import { lineText } from './line-text.js';
import { LineWriter } from './line-writer.js';
import { linger } from './lingering.js';
import { isTurnOver, waitForTurn } from './loop-turn.js';
import { WONT_TIMING_MARK } from './telnet-filter.js';

/** The conversation goes on by itself: when the client has read, or others have had their turn. */
const WAITING = Symbol('waiting');

/** An unfinished line that is longer is no command by itself: it is not looked at with each of its bytes. */
const MAX_WHOLE_BYTES = 4_096;

const CONNECTION = Symbol('connection');
type ConversingStream = Duplex & { [CONNECTION]: LineConnection };

/**
 * A client's connection, as handlers, hooks and listeners know it.
 * @typeParam Session what the application keeps of a client: see {@link session}
 */
export class LineConnection<Session extends object = Record<string, unknown>> implements Peer {
  /**
   * The same functions listen for every connection, which they find by its socket: six closures for each would be a third of
   * what an idle connection costs (npm run bench:idle).
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
      this[CONNECTION].#finish();
    },
    error: function (this: ConversingStream, error: NodeJS.ErrnoException): void {
      this[CONNECTION].#fail(error);
    },
    close: function (this: ConversingStream): void {
      this[CONNECTION].#close();
    },
  });

  readonly #peer: Peer;
  readonly #socket: Duplex;
  readonly #host: ConversationHost;
  readonly #decoder: LineDecoder;
  readonly #writer: LineWriter;
  /** Made for the first thing that is said: most clients of a crowd are silent. */
  #answersMade: LineAnswers | undefined;
  /** Whether the client was welcome without a word. */
  #isWelcome = false;
  #session: object | undefined;
  /** Lines are served: now, or as soon as what is waited for has come. */
  #conversing = false;
  /** Whether lines wait until the client has read. */
  #isWaitingRead = false;
  /** Lines served since others had their turn. */
  #served = 0;
  #isPaused = false;
  #draining = false;
  #inputEnded = false;
  /** Set as soon as no further line is to be served. */
  #endReason: EndReason | undefined;
  #over = false;
  /** The client has said something, read a reply, or been told all that it asked, since the limits were checked. */
  #isActive = true;
  /** A line has ended since then. */
  #hasEndedLine = false;
  /** Made when they are first checked. */
  #limits: ClientLimits | undefined;
  /** The bytes that are kept for this client, as the server was told. */
  #held = 0;
  #chunksReceived = 0;
  #graceTimer: NodeJS.Timeout | undefined;

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
    this.#peer = peer;
    this.#socket = socket;
    this.#host = host;
    this.#decoder = new LineDecoder(host.maxLineBytes);
    this.#writer = new LineWriter(socket, host.onSent);
  }

  /** Begins the conversation: welcomes the client, and serves what it says. */
  open(): void {
    const socket = this.#socket;
    Reflect.set(socket, CONNECTION, this);
    for (const [event, listener] of LineConnection.#listeners) socket.on(event, listener);
    const welcome = this.#host.welcome(this);
    this.#isWelcome = welcome === undefined;
    if (welcome === undefined) {
      this.#answersMade?.endWelcome();
    } else {
      this.#conversing = true;
      this.#answers.welcome(welcome);
    }
    if (socket.readableEnded) this.#receiveEnd(); // a client that sent nothing but its FIN while it had to wait
  }

  /** The client's address in text; `undefined` on a Unix domain socket. */
  get remoteAddress(): string | undefined {
    return this.#peer.remoteAddress;
  }

  /** The client's port. */
  get remotePort(): number | undefined {
    return this.#peer.remotePort;
  }

  /** The server's own address that the client came to; `undefined` once the socket is gone. */
  get localAddress(): string | undefined {
    return this.#peer.localAddress;
  }

  /** The server's port that the client came to. */
  get localPort(): number | undefined {
    return this.#peer.localPort;
  }

  /** What is known of its TLS session; `undefined` without TLS. */
  get tls(): TlsFacts | undefined {
    return this.#peer.tls;
  }

  /**
   * What the application knows of this client: an object that is empty at first, and the same for every line and hook of the
   * connection. Its type is the application's word: `LineConnection<{ user: string }>`.
   */
  get session(): Partial<Session> {
    return (this.#session ??= {});
  }

  /** Whether the conversation is over, although the socket may still be there. */
  get over(): boolean {
    return this.#over;
  }

  /**
   * Says lines that the client did not ask for: between two replies, never in the middle of one. In the middle of a stream's
   * reply they wait until it is complete; before a client is welcomed, until it is, and if it is refused they are not said.
   * @returns whether they will be said; `false` if the conversation is ending, or if more than 64 KiB wait for this client
   * @throws {LineError} `ERR_LINE_REPLY` if it is nothing a line can say
   */
  push(reply: string | readonly string[]): boolean {
    return this.#answers.push(replyLines(reply));
  }

  /** Delivers what was said, then a last line if one is given, and ends the conversation. */
  end(reason: EndReason, lastLine?: string): void {
    if (this.#endReason !== undefined) return;
    this.#answersMade?.sayHeld();
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

  /**
   * To be called every now and then: ends the conversation of a client that is silent for too long, takes too long for a line or does
   * not read, and gives up a handler that takes too long.
   * @param now in milliseconds, of any clock that does not go back
   */
  checkLimits(now: number): void {
    this.#limits ??= this.#watch(now);
    this.#readOnIfRoom(); // what it had not read may have been too little for a 'drain'
    switch (this.#exceeded(this.#limits, now)) {
      case 'writeTimeout':
        return this.destroy('writeTimeout');
      case 'idle':
        return this.#endIdle();
      case 'lineTimeout':
        return this.#endLate('lineTimeout');
      case undefined:
        if (this.#answersMade?.giveUpIfLate(now) === true) this.#goOn();
    }
  }

  /** What is kept for others is no longer too much: this one's input is read again. */
  readOn(): void {
    if (this.#isPaused && !this.#conversing && this.#endReason === undefined)
      this.#setPaused(false);
  }

  /**
   * The conversation: one line at a time, in order, no faster than the client reads what it is told.
   * @returns what is to be waited for; then the conversation goes on with this
   */
  serveLines(): LateAnswer | undefined {
    this.#conversing = true;
    const next = this.#serveSlice();
    if (next !== undefined) {
      this.#writer.flushSoon();
      return next === WAITING ? undefined : next;
    }
    this.#conversing = false;
    this.#served = 0;
    this.#writer.flush();
    this.#rest();
    return undefined;
  }

  /** It stays: most of a crowd that comes and goes do not. */
  #watch(now: number): ClientLimits {
    if (this.#socket instanceof Socket) keepAlive(this.#socket, this.#host.keepAliveMs);
    return new ClientLimits(now);
  }

  get #answers(): LineAnswers {
    return (this.#answersMade ??= new LineAnswers(this, this.#host, this.#writer, this.#isWelcome));
  }

  #exceeded(limits: ClientLimits, now: number): LimitReason | undefined {
    const { waiting, taken, isBlocked } = this.#writer;
    const exceeded = limits.exceeded(now, this.#host, {
      isActive: this.#isActive,
      isClientsTurn: !this.#conversing || isBlocked,
      isMidLine: this.#decoder.isMidLine,
      hasEndedLine: this.#hasEndedLine,
      isRead: !this.#conversing, // who is paused all the same keeps too much: half a line is no reason to stay
      waiting,
      taken,
    });
    this.#isActive = false;
    this.#hasEndedLine = false;
    return exceeded;
  }

  #endIdle(): void {
    if (this.#endReason === undefined && !this.#writer.isBlocked) this.#endLate('idle');
    else this.destroy('idle'); // it does not read: a line would not reach it either
  }

  #endLate(reason: EndReason): void {
    this.end(reason, this.#host.words.idleTimeout);
  }

  #receive(chunk: Buffer): void {
    this.#isActive = true;
    this.#host.onReceived(chunk.length);
    if (this.#endReason !== undefined) return;
    this.#chunksReceived++;
    clearTimeout(this.#graceTimer);
    this.#decoder.push(chunk);
    this.#converse();
    const isTooMuch = this.#account();
    if (this.#endReason !== undefined || this.#isPaused) return;
    if (this.#decoder.pendingBytes > this.#host.maxPendingBytes) this.#pause('pendingInput');
    // A client that is paused says nothing: a server that closes would take that for its last word.
    else if (isTooMuch && !this.#draining) this.#pause('bufferedBytes');
  }

  #pause(reason: PauseReason): void {
    this.#setPaused(true);
    this.#host.onPaused(this, reason);
  }

  #setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (isPaused) this.#socket.pause();
    else this.#socket.resume();
  }

  /** Tells the server what is kept. @returns whether that is too much */
  #account(): boolean {
    const held = this.#over ? 0 : this.#decoder.heldBytes + this.#writer.waiting;
    const grown = held - this.#held;
    this.#held = held;
    return this.#host.onHeld(this, held, grown);
  }

  /** Who waits because there is too much is read on, if there is no longer. One that closes is read in any case. */
  #readOnIfRoom(): void {
    if (!this.#account() || this.#draining) this.readOn();
  }

  /** The client has read what it was told. Reading what it did not ask for is no sign of life. */
  #resume(): void {
    if (this.#conversing) this.#isActive = true;
    this.#writer.unblock();
    this.#readOnIfRoom();
    if (!this.#isWaitingRead || this.#writer.isBlocked) return;
    this.#isWaitingRead = false;
    this.#goOn();
  }

  #receiveEnd(): void {
    this.#inputEnded = true;
    if (this.#endReason !== undefined) return;
    clearTimeout(this.#graceTimer);
    this.#decoder.finish();
    this.#converse();
  }

  /** Something has arrived: it is served, now or behind what is. */
  #converse(): void {
    if (!this.#conversing) this.#goOn();
  }

  #goOn(): void {
    const late = this.serveLines();
    if (late !== undefined) this.#answers.await(late);
  }

  /** @returns what is waited for; `undefined` if every line that has arrived is answered */
  #serveSlice(): LateAnswer | typeof WAITING | undefined {
    const decoder = this.#decoder;
    const writer = this.#writer;
    // Who is gone is told nothing, not even of a QUIT that it has sent: nothing behind it may be done either.
    while (this.#endReason === undefined && writer.isOpen) {
      if (writer.isBlocked) {
        this.#isWaitingRead = true;
        this.#host.onPaused(this, 'unreadReplies');
        return WAITING;
      }
      if (isTurnOver(this.#served, decoder.pendingBytes)) {
        this.#served = 0;
        waitForTurn(() => this.#goOn());
        return WAITING;
      }
      const decoded = decoder.next();
      if (decoded === undefined) return undefined;
      this.#served++;
      this.#hasEndedLine ||= decoded === LINE || decoded === OVERLONG;
      if (decoded === LINE) {
        const late = this.#answers.serve(decoder);
        if (late !== undefined) return late;
      } else if (decoded === OVERLONG) {
        this.#answers.refuseOverlong();
      } else {
        writer.writeBytes(WONT_TIMING_MARK);
      }
    }
    return undefined;
  }

  /** Every line that has arrived is answered, or the socket is gone and 'close' follows. */
  #rest(): void {
    if (this.#endReason !== undefined || !this.#writer.isOpen) return;
    this.#isActive = true;
    if (this.#inputEnded) {
      this.end('client');
      return;
    }
    if (this.#isPaused) this.#readOnIfRoom();
    if (this.#draining) this.#endWhenQuiet();
    else if (this.#isWholeLine()) this.#awaitLineEnd();
  }

  #isWholeLine(): boolean {
    const unfinished = this.#decoder.unfinished;
    return (
      this.#host.lineGraceMs > 0 &&
      unfinished !== undefined &&
      unfinished.length <= MAX_WHOLE_BYTES &&
      this.#host.isWhole(lineText(unfinished))
    );
  }

  #awaitLineEnd(): void {
    this.#graceTimer = setTimeout(() => {
      // Timers run before the sockets are polled: after a busy turn the rest of the line may be there already.
      this.#ifStillQuiet(1, () => {
        if (this.#isWholeLine()) this.#serveUnfinished();
      });
    }, this.#host.lineGraceMs);
  }

  #endWhenQuiet(): void {
    // A whole turn of the event loop, polling included, in which nothing came: nothing is left in the kernel either.
    this.#ifStillQuiet(2, () => {
      if (this.#isWholeLine()) this.#serveUnfinished();
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
  #finish(): void {
    this.#setOver(this.#endReason);
    if (!this.#inputEnded) linger(this.#socket);
  }

  #fail(error: NodeJS.ErrnoException): void {
    const cut = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    this.#setOver(cut ? 'reset' : 'error', error);
  }

  #close(): void {
    clearTimeout(this.#graceTimer);
    this.#writer.unblock();
    this.#setOver(this.#endReason);
    this.#host.onClosed(this);
  }

  #setOver(reason: EndReason = 'error', error?: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#endReason ??= reason;
    this.#account();
    this.#answersMade?.leave();
    this.#host.onOver(this, reason, error);
  }
}
