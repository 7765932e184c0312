/**
 * LineAnswers: how one line of a client is answered after the other: at once, or later by a value or a stream, said as it comes,
 * given up when it comes too late, let go of when nobody waits any more. Knows nothing of bytes, and nothing of Nest.
 */
import { isObservable } from 'rxjs';
import type { ConversationHost } from './conversation-host.js';
import type { LineConnection } from './line-connection.js';
import { abort, abortedBy, type LineContext } from './line-context.js';
import type { LineDecoder } from './line-decoder.js';
import { isProtocolError, LineError } from './line-errors.js';
import type { Outcome } from './line-events.js';
import {
  Closing,
  ErrorLine,
  isLineStream,
  isOneLine,
  LateAnswer,
  type LineReply,
  type LineStream,
  repliesOf,
  replyLines,
} from './line-reply.js';
import type { LineWriter } from './line-writer.js';
import { isTurnOver, waitForTurn } from './loop-turn.js';
import type { MeasuredLine } from './measured-line.js';

/** What is pushed may wait for its turn, or for a client that does not read, up to this length. */
const MAX_PUSHED_LENGTH = 65_536;
const LINE_END_LENGTH = 2;

export class LineAnswers {
  /** The line that is being served, if its answer comes later. */
  #serving: LineContext | undefined;
  /** What measures it, if anyone listens. */
  #measured: MeasuredLine | undefined;
  /** Whether some of its reply has been said, and more may follow. */
  #midReply = false;
  /** The stream that is being said, to be let go of when nobody waits for it any more. */
  #stream: AsyncIterator<unknown> | undefined;
  /** Lines that were pushed in the middle of a reply. */
  #held: string[] | undefined;
  #heldLength = 0;
  /** Lines in a row that the protocol does not allow. */
  #faults = 0;
  /** Whether the next reply is put off until the client has read. */
  #isWaiting = false;
  /** The line that was being served when it was last looked at, and since when. */
  #watched: LineContext | undefined;
  #watchedSince = 0;
  /** Whether the client is still to be welcomed, or refused. */
  #welcoming: boolean;

  constructor(
    private readonly connection: LineConnection,
    private readonly host: ConversationHost,
    private readonly writer: LineWriter,
    isWelcome: boolean,
  ) {
    this.#welcoming = !isWelcome;
  }

  /** Says what is said before the first line is served. */
  welcome(welcome: LateAnswer): void {
    this.#welcoming = true;
    this.await(welcome);
  }

  /**
   * Serves the line that the decoder has come to.
   * @returns what is to be waited for; `undefined` if it is answered
   */
  serve(decoder: LineDecoder): LateAnswer | undefined {
    const measured = this.host.measure();
    const answer = this.host.answer(this.connection, decoder, measured);
    if (answer instanceof LateAnswer) {
      this.#faults = 0;
      this.#measured = measured;
      return answer;
    }
    this.#sayAtOnce(answer, measured);
    if (this.#held !== undefined) this.sayHeld();
    return undefined;
  }

  /** Says that the line the decoder has come to is too long. */
  refuseOverlong(): void {
    const { words, maxLineBytes } = this.host;
    const measured = this.host.measure();
    this.#sayAtOnce(new ErrorLine(words.lineTooLong(maxLineBytes), 'lineTooLong'), measured);
  }

  /** Waits for an answer and says it, and so on with each that the connection comes to then. */
  await(late: LateAnswer): void {
    void this.#awaitEach(late);
  }

  /** @returns whether the lines will be said */
  push(lines: readonly string[]): boolean {
    if (!this.writer.isOpen) return false;
    if (this.#heldLength + this.writer.waiting > MAX_PUSHED_LENGTH) return false;
    if (this.#midReply || this.#welcoming) this.#hold(lines);
    else for (const line of lines) this.#write(line);
    this.writer.flushSoon();
    return true;
  }

  /**
   * To be called every now and then.
   * @returns whether a handler was given up that had taken too long: the next line may be served
   */
  giveUpIfLate(now: number): boolean {
    const context = this.#serving;
    if (context !== this.#watched || this.#isWaiting) {
      this.#watched = context;
      this.#watchedSince = now;
    }
    if (context === undefined || this.#midReply || this.#isWaiting) return false;
    const timeoutMs = this.host.timeoutMsOf(context);
    if (timeoutMs === 0 || now - this.#watchedSince < timeoutMs) return false;
    const late = new LineError('ERR_LINE_TIMEOUT', `No answer came within ${timeoutMs} ms.`);
    abort(context, late);
    this.#sayError(context, late);
    this.#abandon(context, late, 'timedOut');
    return true;
  }

  /** The client is welcome, and is told what was pushed meanwhile. */
  endWelcome(): void {
    this.#welcoming = false;
    this.sayHeld();
  }

  /** Nobody waits any more. */
  leave(): void {
    this.#held = undefined;
    if (this.#serving === undefined) return;
    const gone = new LineError('ERR_LINE_CLOSED', 'The client has gone.');
    this.#abandon(this.#serving, gone, 'abandoned');
  }

  /** Says what was pushed and had to wait. */
  sayHeld(): void {
    const held = this.#held;
    if (held === undefined) return;
    this.#held = undefined;
    this.#heldLength = 0;
    if (this.#welcoming) return; // what is said to those who are there is not for one who is refused
    for (const line of held) this.#write(line);
    this.writer.flushSoon();
  }

  #sayAtOnce(answer: LineReply | ErrorLine, measured: MeasuredLine | undefined): void {
    if (answer instanceof ErrorLine) this.#sayErrorLine(answer);
    else this.#sayReply(answer);
    if (measured === undefined) return;
    this.#tellAnswered(measured, answer instanceof ErrorLine ? answer.outcome : 'replied');
  }

  #sayReply(reply: LineReply): void {
    this.#faults = 0;
    if (!this.writer.isOpen) return;
    if (typeof reply === 'string') this.#write(reply);
    else this.#sayLines(reply);
  }

  /** Says words of the server in the place of a reply. */
  #sayErrorLine({ line, closes, outcome }: ErrorLine): void {
    const { connection, host, writer } = this;
    const isFault = isProtocolError(outcome);
    if (isFault) host.onProtocolError(connection, outcome);
    else this.#faults = 0;
    if (!writer.isOpen) return;
    writer.write(line);
    if (closes) this.#end();
    if (isFault && ++this.#faults === host.maxProtocolErrors) {
      connection.end('tooManyErrors', host.words.tooManyErrors);
    }
  }

  /** One promise for a whole row of late answers, and not one for each. */
  async #awaitEach(first: LateAnswer): Promise<void> {
    let late: LateAnswer | undefined = first;
    while (late !== undefined) {
      const { context, answer }: LateAnswer = late;
      let outcome: Outcome = 'replied';
      this.#serving = context;
      if (this.connection.over) this.leave(); // the handler has cut it, or who heard of its line
      try {
        const answered = await answer;
        if (this.#serving !== context) {
          await dropLate(answered);
          return;
        }
        if (isLineStream(answered)) await this.#sayEach(answered, context);
        else this.#say(answered, context);
      } catch (error) {
        if (this.#serving === context) outcome = this.#sayError(context, error);
        else if (!isAbortion(error, abortedBy(context))) this.host.errorLine(context, error); // a defect, although nobody waits any more
      }
      if (!this.#finish(context, outcome)) return;
      late = this.connection.serveLines();
    }
  }

  async #sayEach(answer: LineStream, context: LineContext): Promise<void> {
    const replies = repliesOf(answer, this.host.maxEmittedReplies);
    this.#stream = replies;
    let isDone = false;
    let said = 0;
    try {
      while (this.writer.isOpen) {
        isDone = true; // unless it says otherwise: an iterator that throws has ended, too
        const reply = await replies.next();
        isDone = reply.done === true;
        if (this.#serving !== context || reply.done === true) return;
        this.#say(reply.value, context);
        this.#midReply = !this.#welcoming && !this.host.isSilent(context);
        this.writer.flushSoon();
        await this.#untilNext(++said);
      }
      if (this.writer.isGone) this.leave(); // who hears of it later finds this line served
    } finally {
      const isAbandoned = this.#stream !== replies;
      if (!isAbandoned) this.#stream = undefined;
      if (!isAbandoned && !isDone) await replies.return?.();
    }
  }

  /**
   * The client has to read what it was told, and a stream that has its replies at hand, and a client that takes them at once, would
   * leave nobody else a turn. That time is not the handler's.
   * @param said replies of the stream
   */
  async #untilNext(said: number): Promise<void> {
    this.#isWaiting = true;
    if (isTurnOver(said, Infinity)) await turn();
    await this.writer.untilRead();
    this.#isWaiting = false;
  }

  #say(reply: unknown, context: LineContext): void {
    if (!this.writer.isOpen || this.host.isSilent(context)) return;
    if (isOneLine(reply)) this.#write(reply);
    else this.#sayLines(reply);
  }

  #sayLines(reply: unknown): void {
    const lines = replyLines(reply);
    const before = this.#midReply;
    this.#midReply = true; // whoever hears of a line and pushes another does not get between two of them
    for (const line of lines) this.#write(line);
    this.#midReply = before;
    if (reply instanceof Closing) this.#end();
  }

  #sayError(context: LineContext, error: unknown): Outcome {
    const line = this.host.errorLine(context, error);
    if (line === undefined) return 'failed'; // an event, in answer to which nothing is said
    this.#sayErrorLine(line);
    return line.outcome;
  }

  #end(): void {
    this.connection.end(this.#welcoming ? 'refused' : 'quit');
  }

  /** The handler goes on in vain. */
  #abandon(context: LineContext, reason: LineError, outcome: Outcome): void {
    abort(context, reason);
    const stream = this.#stream;
    this.#stream = undefined;
    void letGo(stream);
    this.#finish(context, outcome);
  }

  /** @returns whether it was still served */
  #finish(context: LineContext, outcome: Outcome): boolean {
    if (this.#serving !== context) return false;
    this.#serving = undefined;
    this.#midReply = false;
    if (this.#welcoming || this.#held !== undefined) this.endWelcome();
    this.host.onServed(context);
    const measured = this.#measured;
    this.#measured = undefined;
    if (measured !== undefined) this.#tellAnswered(measured, outcome);
    return true;
  }

  #tellAnswered(measured: MeasuredLine, outcome: Outcome): void {
    const isGone = this.connection.over || this.writer.isGone;
    const isLost = outcome === 'replied' && isGone;
    this.host.onAnswered(this.connection, measured.end(isLost ? 'abandoned' : outcome));
  }

  #hold(lines: readonly string[]): void {
    this.#held ??= [];
    for (const line of lines) {
      this.#held.push(line);
      this.#heldLength += line.length + LINE_END_LENGTH;
    }
  }

  #write(line: string): void {
    this.host.onReply(this.connection, this.writer.write(line));
  }
}

function turn(): Promise<void> {
  return new Promise(waitForTurn);
}

async function letGo(stream: AsyncIterator<unknown> | undefined): Promise<void> {
  try {
    await stream?.return?.();
  } catch {
    // Nobody is left to be told that the stream did not stop well.
  }
}

/** An Observable nobody has subscribed to needs no end; an iterator may hold something. */
async function dropLate(answer: unknown): Promise<void> {
  if (!isLineStream(answer) || isObservable(answer)) return;
  await repliesOf(answer, 0).return?.();
}

/** How work ends that heeds the signal of its line: `fetch` with the signal's reason, Node's own functions with an AbortError. */
function isAbortion(error: unknown, reason: Error | undefined): boolean {
  try {
    return error === reason || (error instanceof Error && error.name === 'AbortError');
  } catch {
    return false; // a Proxy, or a getter that throws
  }
}
