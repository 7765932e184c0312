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
import { LineError } from './line-errors.js';
import { isBlank, strip } from './line-text.js';
import { splitWords } from './quoting.js';

/** A command as it was declared, and Nest's way to its method. */
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
}

export class CommandTable {
  readonly #commands = new Map<string, RegisteredCommand>();
  /** The length of the longest name that may be followed by arguments. */
  #longest = 0;
  #names: readonly string[] = [];

  constructor(private readonly ignoreCase: boolean) {}

  /** The known commands as they were declared, in the order of registration. */
  get names(): readonly string[] {
    return this.#names;
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
    const command = { name, handler, args, words: wordsOf(args), timeoutMs, isEvent, declaredBy };
    const earlier = this.#commands.get(key);
    if (earlier !== undefined) {
      refuseSecond(name, earlier, isEvent, extras.declaredBy);
      if (isEvent) return; // Nest has chained it to the first, which calls it
    }
    this.#commands.set(key, command);
    if (args !== undefined) this.#longest = Math.max(this.#longest, key.length);
    this.#names = [...this.#commands.values()]
      .map((each) => each.name)
      .filter((each) => each !== UNKNOWN_COMMAND);
  }

  /** The command that a line is, or begins with if it takes arguments; the longest that fits. */
  find(line: string): RegisteredCommand | undefined {
    const exact = this.#commands.get(this.keyOf(line));
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
    const command = this.#commands.get(this.keyOf(line));
    return command !== undefined && command.args === undefined;
  }

  /** Case is ignored in ASCII only: in Unicode, `ſtop` would be STOP. */
  keyOf(name: string): string {
    return this.ignoreCase ? name.replaceAll(/[a-z]+/g, (letters) => letters.toUpperCase()) : name;
  }
}

/** What the decorators say of a command beside its name. */
export type CommandExtras = CommandOptions & { readonly declaredBy?: unknown };

/** Arguments that the command does not take. */
export type BadArguments = 'badQuoting' | 'wrongArguments';

/** The payload of a line's handler, or what is wrong with its arguments. */
export function payloadOf(
  { name, args, words: wanted }: RegisteredCommand,
  line: string,
): { readonly payload: unknown } | BadArguments {
  if (name === UNKNOWN_COMMAND) return { payload: line };
  if (args === undefined) return { payload: '' };
  const rest = strip(line.slice(name.length));
  if (args === 'rest') return { payload: rest };
  const words = splitWords(rest);
  if (words === undefined) return 'badQuoting';
  if (wanted === undefined) return { payload: words };
  const { names, required } = wanted;
  if (words.length < required || words.length > names.length) return 'wrongArguments';
  return { payload: Object.fromEntries(words.map((word, index) => [names[index], word])) };
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
