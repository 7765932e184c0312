/**
 * What is fuzzed: a script is played to the decoder and to a server, and what comes out has to be what the model says, however the
 * bytes were cut. Throws a {@link Finding} if it is not.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { LINE, LineDecoder, OVERLONG } from '../src/line-transport/line-decoder.js';
import type { LineConnection, LineServer, LineServerStats } from '../src/line-transport/index.js';
import { quoteWord, splitWords } from '../src/line-transport/index.js';
import { abandonServers, serverFor } from './commands.js';
import { type Item, itemsOf, textOf, type Told, told } from './model.js';
import { type Chunk, readScript, type Script } from './script.js';
import { StoppedTimers } from './stopped-timers.js';
import { Wire } from './wire.js';

/** Something is not as it has to be. */
export class Finding extends Error {
  override readonly name = 'Finding';
}

/** Turns in which nothing happens before it is believed that nothing will: a slice that has to wait waits for two. */
const IDLE_TURNS = 3;
/** A conversation that is not over after so many turns never will be. */
const MAX_TURNS = 20_000;
/** A mark counts as three bytes, the first two of which may have come in an earlier chunk. */
const MARK_BYTES = 3;
/** What a mark that waits may count as. */
const MARK_COST = 256;

/** Makes the server of an input, which is nothing that the input does. */
export async function prepare(input: Buffer): Promise<void> {
  await serverFor(readScript(input).setting);
}

/** Plays an input. */
export async function play(input: Buffer): Promise<void> {
  const script = readScript(input);
  checkDecoder(script);
  checkWords(script);
  await checkConversation(script);
}

function checkDecoder(script: Script): void {
  const { chunks, ending, setting } = script;
  const expected = itemsOf(script, () => true).map(nameOf);
  compare('The decoder gives', decode(setting.maxLineBytes, chunks, ending), expected);
  if (chunks.some(({ after }) => after === 'quiet')) return;
  const bytes = Buffer.concat(chunks.map((chunk) => chunk.bytes));
  const whole = decode(setting.maxLineBytes, [{ bytes, after: 'at once' }], ending);
  compare('In one chunk the decoder gives', whole, expected);
}

/** Where it is quiet, every unfinished line is taken for a whole one. */
function decode(
  maxLineBytes: number,
  chunks: readonly Chunk[],
  ending: Script['ending'],
): string[] {
  const decoder = new LineDecoder(maxLineBytes);
  const items: string[] = [];
  const finishLine = (): void => {
    if (decoder.unfinished !== undefined) decoder.finishLine();
    items.push(...take(decoder));
  };
  for (const { bytes, after } of chunks) {
    decoder.push(bytes);
    const marks = Math.floor((bytes.length + MARK_BYTES - 1) / MARK_BYTES);
    atMost('bytes are pending', decoder.pendingBytes, bytes.length + marks * MARK_COST);
    items.push(...take(decoder));
    atMost('bytes are pending when all are decoded', decoder.pendingBytes, 0);
    atMost('bytes are kept of a line', decoder.unfinished?.length ?? 0, maxLineBytes + 1);
    if (after === 'quiet') finishLine();
  }
  if (ending === 'drain') finishLine();
  if (ending.endsWith('fin')) decoder.finish();
  return [...items, ...take(decoder)];
}

function take(decoder: LineDecoder): string[] {
  const items: string[] = [];
  for (let next = decoder.next(); next !== undefined; next = decoder.next()) {
    const line = decoder.bytes.toString('latin1', decoder.start, decoder.end);
    items.push(nameOf(next === LINE ? { line } : next === OVERLONG ? 'too long' : 'mark'));
  }
  return items;
}

function nameOf(item: Item): string {
  return typeof item === 'string' ? item : JSON.stringify(item.line);
}

/** Every line is a word, and the words of any line are words again once they are written as such. */
function checkWords(script: Script): void {
  for (const item of itemsOf(script, () => false)) {
    if (typeof item === 'string') continue;
    const text = textOf(item.line);
    compare('A quoted word is', splitWords(` ${quoteWord(text)}\t`), [text]);
    const words = splitWords(text);
    if (words === undefined) continue;
    compare('Quoted words are', splitWords(words.map(quoteWord).join(' ')), words);
  }
}

async function checkConversation(script: Script): Promise<void> {
  const server = await serverFor(script.setting);
  const timers = new StoppedTimers();
  let isFine = false;
  try {
    const { said, reason } = await new Conversation(server, script, timers).hold();
    const expected = told(script);
    compare('The client is told', said, expected.said);
    compare('The conversation is over with', reason, expected.reason);
    const { connections, bufferedBytes } = server.stats();
    compare('Open, when all is over, are', connections.open, 0);
    compare('Kept, when all is over, are', bufferedBytes, 0);
    isFine = true;
  } finally {
    timers.giveBack();
    if (!isFine) abandonServers();
  }
}

/** A client, and the server's end of its connection. */
class Conversation {
  readonly #wire: Wire;
  readonly #connection: LineConnection;
  readonly #before: LineServerStats;

  constructor(
    private readonly server: LineServer,
    private readonly script: Script,
    private readonly timers: StoppedTimers,
  ) {
    this.#before = server.stats();
    this.#wire = new Wire(script.reader);
    this.#connection = server.serve(this.#wire);
  }

  async hold(): Promise<Told> {
    for (const { bytes, after } of this.script.chunks) {
      this.#wire.push(bytes);
      if (after === 'tick') await Promise.resolve();
      if (after === 'turn') await nextTurn();
      if (after === 'quiet') await this.#beQuiet();
    }
    await this.#end(this.script.ending);
    await this.#until(() => this.#connection.over);
    this.#wire.destroy();
    await this.#until(() => this.#wire.closed);
    compare('Failed handlers are', this.server.stats().handlerErrors, 0);
    return { said: this.#wire.said, reason: this.#reason() };
  }

  async #end(ending: Script['ending']): Promise<void> {
    if (ending === 'fin' || ending === 'cut') await this.#untilIdle();
    if (ending.endsWith('fin')) this.#wire.push(null);
    else if (ending === 'drain') this.#connection.drain();
    else this.#wire.destroy(Object.assign(new Error('cut'), { code: 'ECONNRESET' }));
  }

  async #beQuiet(): Promise<void> {
    await this.#untilIdle();
    this.timers.pass();
    await this.#untilIdle();
  }

  async #untilIdle(): Promise<void> {
    for (let idle = 0, turn = 0; idle < IDLE_TURNS; turn++) {
      const before = this.#progress();
      await this.#turn(turn);
      idle = before === this.#progress() ? idle + 1 : 0;
    }
  }

  async #until(isReached: () => boolean): Promise<void> {
    for (let turn = 0; !isReached(); turn++) await this.#turn(turn);
  }

  async #turn(turn: number): Promise<void> {
    atMost('turns are waited', turn, MAX_TURNS);
    await nextTurn();
  }

  /** Something that changes with whatever the server does. */
  #progress(): number {
    return this.server.stats().lines + this.#wire.said.length;
  }

  /** Why it is over: the reason of which there is one more than before. */
  #reason(): string {
    const before = this.#before.connections.ended;
    const reasons = Object.entries(this.server.stats().connections.ended);
    return reasons
      .filter(([reason, count]) => count !== Reflect.get(before, reason))
      .map(([reason]) => reason)
      .join();
  }
}

function compare(what: string, found: unknown, expected: unknown): void {
  if (found === expected || isDeepStrictEqual(found, expected)) return;
  throw new Finding(`${what} ${JSON.stringify(found)}, and not ${JSON.stringify(expected)}.`);
}

function atMost(what: string, found: number, most: number): void {
  if (found > most) throw new Finding(`${found} ${what}, and not at most ${most}.`);
}
