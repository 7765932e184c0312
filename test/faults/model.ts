/**
 * Model: what a client is told, and why its conversation is over, from the rules of the protocol alone. It has no streams, no
 * promises and no turns: it is told what happens, and says at once what becomes of it when everything has come to rest.
 */

export const MAX_LINE_BYTES = 16;

/** What a handler does, one thing after the other. */
type Move =
  /** says a line */
  | { readonly line: string }
  /** waits for leave, or for ever */
  | 'wait'
  | 'hang'
  /** fails, and is told of no more than that; or says why */
  | 'fail'
  | 'reject'
  | 'close';

const say = (...lines: string[]): Move[] => lines.map((line) => ({ line }));

/** The commands of commands.ts. */
const COMMANDS: ReadonlyMap<string, readonly Move[]> = new Map<string, readonly Move[]>([
  ['PING', say('PONG')],
  ['LATER', say('LATER')],
  ['HELD', ['wait', ...say('HELD')]],
  ['NEVER', ['hang']],
  ['MANY', say('one', 'two three')],
  ['NOTHING', []],
  ['NOTE', []],
  ['LONG', say('l'.repeat(3_000))],
  ['THROW', ['fail']],
  ['REJECT', ['fail']],
  ['SYMBOL', ['fail']],
  ['OBJECT', ['fail']],
  ['REFUSE', ['reject', ...say('ERROR: no')]],
  ['EMIT', say('e1', 'e2')],
  ['BURST', [...say('b1'), 'fail']],
  ['LIST', say('l1', 'l2', 'l3')],
  ['FLOOD', say(...Array.from({ length: 30 }, () => 'f'.repeat(98)))],
  ['BREAK', [...say('k1'), 'fail']],
  ['LAST', [...say('a1'), 'close']],
  ['DRIP', ['wait', ...say('d1'), 'wait', ...say('d2')]],
  ['TICK', ['wait', ...say('t1'), 'wait', ...say('t2')]],
  ['PART', ['wait', ...say('p1'), 'wait', 'close']],
  ['QUIT', ['close']],
  ['BYE', [...say('See you', 'soon'), 'close']],
  ['AWAY', ['reject', ...say('ERROR: away'), 'close']],
]);

export const COMMAND_NAMES: readonly string[] = [...COMMANDS.keys()];

/** The words of the error lines. */
export const WORDS = {
  unknownCommand: '?',
  lineTooLong: 'TOO LONG',
  idleTimeout: 'TIMED OUT',
  handlerTimeout: 'LATE',
  tooManyErrors: 'ENOUGH',
  serverError: 'FAILED',
};

const DO_TIMING_MARK = '\xff\xfd\x06';
const WONT_TIMING_MARK = '\xff\xfc\x06';
const NO_OPERATION = '\xff\xf1';

type Reason = 'quit' | 'client' | 'shutdown' | 'idle' | 'lineTimeout' | 'tooManyErrors';

export class Model {
  /** Everything that the server says. */
  told = '';
  /** Why it then closes its side; `undefined` as long as it does not. */
  reason: Reason | undefined;
  lines = 0;
  handlerErrors = 0;
  rejected = 0;
  unknownCommands = 0;
  overlongLines = 0;
  readonly #maxErrors: number;
  readonly #hasGrace: boolean;
  #input = '';
  #isInputEnded = false;
  #isDraining = false;
  #line = '';
  #isDiscarding = false;
  /** Whether the begin of this line was served before its end came. */
  #isBegun = false;
  #moves: Move[] = [];
  /** Whether the line that is being answered has been told something. */
  #isMidReply = false;
  #pushed: string[] = [];
  #leave = 0;
  #errors = 0;

  /** @param hasGrace whether a command is served that has no line end, when nothing follows it for a while */
  constructor(greeting: string | undefined, maxErrors: number, hasGrace: boolean) {
    if (greeting !== undefined) this.#say(greeting);
    this.#maxErrors = maxErrors;
    this.#hasGrace = hasGrace;
  }

  /** Whether a handler is waited for. */
  get isServing(): boolean {
    return this.#moves.length > 0;
  }

  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** The client has sent; telnet sequences are whole. */
  send(text: string): void {
    if (this.#isInputEnded) return;
    this.#input += text;
    this.#goOn();
  }

  sendFin(): void {
    this.#isInputEnded = true;
    this.#goOn();
  }

  /** The server closes. */
  drain(): void {
    this.#isDraining = true;
    this.#goOn();
  }

  give(leave: number): void {
    this.#leave += leave;
    this.#goOn();
  }

  /** @returns whether the line is said, now or behind the reply that is being said */
  push(line: string): boolean {
    if (this.reason !== undefined) return false;
    if (this.#isMidReply) this.#pushed.push(line);
    else this.#say(line);
    return true;
  }

  /** The handler that is waited for has taken too long; what it has begun to say is waited for. */
  giveUp(): void {
    if (!this.isServing || this.#isMidReply) return;
    this.handlerErrors++;
    this.#moves = say(WORDS.handlerTimeout);
    this.#goOn();
  }

  /** The client, whose turn it is, has been silent for too long. */
  beSilent(): void {
    if (this.#isWhole) {
      this.#serve();
      this.#isBegun = true;
      this.#goOn();
      return;
    }
    const isMidLine = this.#line !== '' || this.#isDiscarding;
    this.#say(WORDS.idleTimeout);
    this.reason = isMidLine ? 'lineTimeout' : 'idle';
  }

  get #isWhole(): boolean {
    return this.#hasGrace && this.#line !== '' && COMMANDS.has(this.#line.trim());
  }

  #goOn(): void {
    while (this.reason === undefined) {
      const move = this.#moves[0];
      if (move !== undefined) {
        if (move === 'hang' || (move === 'wait' && this.#leave === 0)) return;
        this.#moves.shift();
        this.#do(move);
      } else if (this.#pushed.length > 0 || this.#isMidReply) {
        this.#endReply();
      } else if (!this.#read()) {
        return;
      }
    }
  }

  #do(move: Move): void {
    if (move === 'wait') this.#leave--;
    if (move === 'close') {
      this.#endReply();
      this.reason = 'quit';
    } else if (move === 'fail') {
      this.handlerErrors++;
      this.#say(WORDS.serverError);
    } else if (move === 'reject') {
      this.rejected++;
    } else if (typeof move === 'object') {
      this.#isMidReply = true;
      this.#say(move.line);
    }
  }

  #endReply(): void {
    this.#isMidReply = false;
    for (const line of this.#pushed.splice(0)) this.#say(line);
  }

  /** @returns whether there was anything to read */
  #read(): boolean {
    if (this.#input === '') return this.#end();
    for (const sequence of [DO_TIMING_MARK, NO_OPERATION]) {
      if (!this.#input.startsWith(sequence)) continue;
      this.#input = this.#input.slice(sequence.length);
      if (sequence === DO_TIMING_MARK) this.told += WONT_TIMING_MARK;
      return true;
    }
    const character = this.#input.charAt(0);
    this.#input = this.#input.slice(1);
    if (character === '\n') this.#serve();
    else if (!this.#isDiscarding) this.#add(character);
    return true;
  }

  #end(): boolean {
    if (this.#line !== '' && (this.#isInputEnded || (this.#isDraining && this.#isWhole))) {
      this.#serve();
      return true;
    }
    if (this.#isInputEnded) this.reason = 'client';
    else if (this.#isDraining) this.reason = 'shutdown';
    return false;
  }

  #add(character: string): void {
    this.#line += character;
    if (this.#line.replace(/\r$/, '').length <= MAX_LINE_BYTES) return;
    this.#line = '';
    this.#isDiscarding = true;
    this.#isBegun = false;
    this.overlongLines++;
    this.#err(WORDS.lineTooLong);
  }

  #serve(): void {
    const line = this.#line.trim();
    const isServed = this.#isDiscarding || (this.#isBegun && line === '');
    this.#line = '';
    this.#isDiscarding = false;
    this.#isBegun = false;
    if (isServed) return;
    this.lines++;
    const moves = COMMANDS.get(line);
    if (moves === undefined) {
      this.unknownCommands++;
      this.#err(WORDS.unknownCommand);
      return;
    }
    this.#errors = 0;
    this.#moves = [...moves];
  }

  #err(word: string): void {
    this.#say(word);
    if (++this.#errors !== this.#maxErrors) return;
    this.#say(WORDS.tooManyErrors);
    this.reason = 'tooManyErrors';
  }

  #say(line: string): void {
    this.told += `${line}\r\n`;
  }
}
