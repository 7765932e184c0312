/**
 * CommandTable: the commands of a server, which of them a line is, and what its arguments are. Knows nothing of connections.
 */
import type { MessageHandler, MsPattern } from '@nestjs/microservices';
import {
  type CommandArguments,
  type CommandOptions,
  Declaration,
  namesOf,
  refuseWrongOptions,
  UNKNOWN_COMMAND,
} from './command.decorator.js';
import type { DirectCall } from './direct-dispatch.js';
import { LineError } from './line-errors.js';
import { isBlank, strip } from './line-text.js';
import { splitWords } from './quoting.js';
import { Spelling } from './spelling.js';

/** A command as it was declared, and the ways to its method. */
export interface RegisteredCommand {
  /** As it was declared; for the method that answers unknown commands {@link UNKNOWN_COMMAND}. */
  readonly name: string;
  readonly handler: MessageHandler;
  readonly args: CommandArguments | undefined;
  /** The names of its words, and how many of them have to be sent, if its words have names. */
  readonly words: { readonly names: readonly string[]; readonly required: number } | undefined;
  readonly timeoutMs: number | undefined;
  /** Nothing is said in answer (`@EventPattern`). */
  readonly isEvent: boolean;
  readonly declaredBy: unknown;
  /** How to call its method without Nest, if nothing is attached to it. */
  readonly direct: DirectCall | undefined;
  /** Why its method is called in the one way and not in the other: the end of a sentence about it. */
  readonly reason: string;
}

export class CommandTable {
  readonly #commands = new Map<string, RegisteredCommand>();
  readonly #spelt = new Spelling<RegisteredCommand>();
  /** The length of the longest name, and of the longest that may be followed by arguments. */
  #longestName = 0;
  #longest = 0;
  #names: readonly string[] = [];

  /** @param directCallOf finds out how to call a method directly, or why not */
  constructor(
    private readonly ignoreCase: boolean,
    private readonly directCallOf: (handler: MessageHandler) => DirectCall | string = () =>
      'is not known',
  ) {}

  /** The known commands as they were declared, in the order of registration. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** The known commands. */
  get known(): readonly RegisteredCommand[] {
    return [...this.#commands.values()].filter(({ name }) => name !== UNKNOWN_COMMAND);
  }

  /** What answers lines that are no command, if a method does. */
  get fallback(): RegisteredCommand | undefined {
    return this.#commands.get(UNKNOWN_COMMAND);
  }

  /** The limits that commands have of their own, in milliseconds. */
  get timeouts(): readonly number[] {
    return [...this.#commands.values()].map(({ timeoutMs }) => timeoutMs ?? 0);
  }

  get size(): number {
    return this.#commands.size;
  }

  /**
   * @param name as a string, the way Nest has normalised the pattern
   * @throws {LineError} `ERR_LINE_COMMAND` if the options are wrong, or if another method answers the command already
   */
  add(name: string, handler: MessageHandler, isEvent: boolean, extras: CommandExtras): void {
    refuseWrongOptions(name, extras);
    const key = this.keyOf(name);
    const { args, timeoutMs, declaredBy } = extras;
    const found = isEvent ? 'is an event' : this.directCallOf(handler);
    const command: RegisteredCommand = {
      name,
      handler,
      args,
      words: wordsOf(args),
      timeoutMs,
      isEvent,
      declaredBy,
      direct: typeof found === 'string' ? undefined : found,
      reason: typeof found === 'string' ? found : 'has nothing attached',
    };
    const earlier = this.#commands.get(key);
    if (earlier !== undefined) {
      refuseSecond(name, earlier, isEvent, extras.declaredBy);
      if (isEvent) return; // Nest has chained it to the first, which calls it
    }
    this.#commands.set(key, command);
    this.#spelt.set(name, command);
    this.#longestName = Math.max(this.#longestName, key.length);
    if (args !== undefined) this.#longest = Math.max(this.#longest, key.length);
    this.#names = this.known.map((each) => each.name);
  }

  /** The command that a line is, byte by byte as it was declared, blanks around it aside; most lines are. */
  spelt(bytes: Buffer, start: number, end: number): RegisteredCommand | undefined {
    return this.#spelt.find(bytes, start, end);
  }

  /** The command that a line is, or begins with if it takes arguments; the longest that fits. */
  find(line: string): RegisteredCommand | undefined {
    const exact = this.#named(line);
    if (exact !== undefined) return exact;
    for (let end = Math.min(this.#longest, line.length - 1); end > 0; end--) {
      if (!isBlank(line.charCodeAt(end))) continue;
      const command = this.#commands.get(this.keyOf(line.slice(0, end)));
      if (command?.args !== undefined) return command;
    }
    return undefined;
  }

  /** Whether a line is complete as it stands: the name of a command that nothing may follow. */
  isWhole(line: string): boolean {
    const command = this.#named(line);
    return command !== undefined && command.args === undefined;
  }

  /** A line that is longer than every name is not read for it. */
  #named(line: string): RegisteredCommand | undefined {
    return line.length > this.#longestName ? undefined : this.#commands.get(this.keyOf(line));
  }

  /** Case is ignored in ASCII only: in Unicode, `ſtop` would be STOP. */
  keyOf(name: string): string {
    return this.ignoreCase ? name.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()) : name;
  }
}

/** What the decorators say of a command beside its name. */
export type CommandExtras = CommandOptions & { readonly declaredBy?: unknown };

/** Arguments that a command does not take. */
export class BadArguments {
  /** @param isQuoting whether their quotes are wrong; otherwise they are too few or too many */
  constructor(readonly isQuoting: boolean) {}
}

/** What a line brings to its handler: the text or the words behind the command's name. */
export type CommandPayload = string | string[] | Record<string, string>;

/** The payload of a line's handler, or what is wrong with its arguments. */
export function payloadOf(
  { name, args, words: wanted }: RegisteredCommand,
  line: string,
): CommandPayload | BadArguments {
  if (args === undefined) return name === UNKNOWN_COMMAND ? line : '';
  const rest = strip(line.slice(name.length));
  if (args === 'rest') return rest;
  const words = splitWords(rest);
  if (words === undefined) return new BadArguments(true);
  if (wanted === undefined) return words;
  const { names, required } = wanted;
  if (words.length < required || words.length > names.length) return new BadArguments(false);
  return Object.fromEntries(words.map((word, index) => [names[index], word]));
}

/** How a command is written, as a reminder for who wrote it otherwise: `SET <key> [value]`. */
export function usageOf({ name, words }: RegisteredCommand): string {
  const usages = words?.names.map((word, index) =>
    index < words.required ? `<${word}>` : `[${word}]`,
  );
  return [name, ...(usages ?? [])].join(' ');
}

function wordsOf(args: CommandArguments | undefined): RegisteredCommand['words'] {
  if (args === undefined || typeof args === 'string') return undefined;
  return { names: namesOf(args), required: args.filter((word) => !word.endsWith('?')).length };
}

/**
 * Nest would let the later method replace the earlier one without a word.
 * @throws {LineError} `ERR_LINE_COMMAND` that names both, if they are two
 */
function refuseSecond(
  pattern: MsPattern,
  earlier: RegisteredCommand,
  isEvent: boolean,
  later: unknown,
): void {
  const one = earlier.declaredBy;
  const what = pattern === UNKNOWN_COMMAND ? 'unknown commands' : JSON.stringify(pattern);
  if (earlier.isEvent !== isEvent) {
    throw new LineError(
      'ERR_LINE_COMMAND',
      `${what} is both a command and an event. A line has one or the other: remove one, or name it otherwise.`,
    );
  }
  if (isEvent || one === later) return;
  throw new LineError(
    'ERR_LINE_COMMAND',
    `Two methods answer ${what}: ${nameOf(one)} and ${nameOf(later)}. Remove one, or give it another command.`,
  );
}

function nameOf(declaredBy: unknown): string {
  return declaredBy instanceof Declaration ? String(declaredBy) : 'one with @MessagePattern';
}
