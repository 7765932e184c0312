/**
 * The decorators that make a controller method answer lines.
 */
import { MessagePattern, type MsPattern } from '@nestjs/microservices';
import { argumentsUsedBy } from './arg.decorator.js';
import { LineError } from './line-errors.js';
import { LINE_OPTION_BOUNDS } from './line-options.js';
import type { LineAnswer } from './line-reply.js';
import { strip } from './line-text.js';
import { wholeNumberFault } from './option-faults.js';

/** The transport id: a decorated method is registered with line servers only, also in a hybrid application. */
export const LINE_TRANSPORT = Symbol('line');

/** A pattern that no line can spell, since a line has no line end inside. */
export const UNKNOWN_COMMAND = '\nUNKNOWN COMMAND';

/**
 * What may follow a command's name on its line:
 * - `'words'`: any words, separated by blanks; a word in double quotes may hold blanks, and the escapes of JSON (`\"`, `\\`,
 *   `\n`, `\u0041`, …). The payload is an array of strings.
 * - names, as `['key', 'value?']`: so many words, those with a question mark optional. The payload is an object that has the words by
 *   their names (`key`, `value`); optional ones that were not sent are missing in it.
 * - `'rest'`: any text. The payload is that text, without the blanks around it, and not unquoted.
 */
export type CommandArguments = 'words' | 'rest' | readonly string[];

/** The names of a command's words: without the marks of those that are optional. */
export function namesOf(words: readonly string[]): string[] {
  return words.map((word) => word.replace('?', ''));
}

/** How a command is served. */
export interface CommandOptions {
  /** What may follow the name. Default: nothing, so that a line with more than the name is no such command. */
  readonly args?: CommandArguments | undefined;
  /** Milliseconds its handler may take, 0–86,400,000; 0 is for ever. Default: the server's `handlerTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
}

/** Accepts methods that return what a line can say, and refuses others where they are written. */
export type LineHandlerDecorator = <
  T extends (...args: never[]) => LineAnswer | Promise<void> | void,
>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<T>,
) => void;

/** The method that a handler was declared by; the same object for every instance of its class. */
export class Declaration {
  constructor(
    private readonly className: string,
    private readonly methodName: string,
  ) {}

  toString(): string {
    return `${this.className}.${this.methodName}`;
  }
}

/**
 * Answers the lines that are exactly this word, or one of these (blanks around it aside), and the lines that begin with it if it
 * takes arguments. The method returns what the client is told: a `LineReply`, a Promise of one, or a stream of them.
 *
 * @param name the command, or several that mean the same; case-sensitive unless the server ignores case
 * @throws {LineError} `ERR_LINE_COMMAND` if no line can spell a name (blanks around it, a line end inside), if the options are
 *   wrong, or if a parameter asks for an argument that the command does not take; the same stops the start if two methods answer
 *   one command
 */
export function Command(
  name: string | readonly string[],
  options: CommandOptions = {},
): LineHandlerDecorator {
  const names = typeof name === 'string' ? [name] : [...name];
  for (const each of names) refuseUnspeakable(each);
  refuseWrongOptions(names.join(', '), options);
  return declare(names, options);
}

/** Answers every line that is no command; its payload is the line. Without it, the server's words are said. */
export function UnknownCommand(): LineHandlerDecorator {
  return declare([UNKNOWN_COMMAND], {});
}

function declare(patterns: string[], { args, timeoutMs }: CommandOptions): LineHandlerDecorator {
  return (target, key, descriptor) => {
    const declaredBy = new Declaration(target.constructor.name, String(key));
    refuseMissingArguments(declaredBy, argumentsUsedBy(target, key), args);
    const extras = { declaredBy, args, timeoutMs };
    MessagePattern(patterns, LINE_TRANSPORT, extras)(target, key, descriptor);
  };
}

function refuseUnspeakable(name: string): void {
  if (strip(name) === name && !/[\r\n]/.test(name)) return;
  throw new LineError(
    'ERR_LINE_COMMAND',
    `No line can spell the command ${JSON.stringify(name)}: a command has no blanks around it and no line end inside.`,
  );
}

/**
 * What `@Command` and the extras of Nest's own decorators are held to.
 * @throws {LineError} `ERR_LINE_COMMAND`
 */
export function refuseWrongOptions(command: MsPattern, { args, timeoutMs }: CommandOptions): void {
  const nameless =
    command === '' && args !== undefined ? 'a command with args needs a name' : undefined;
  const fault = nameless ?? faultOf(args) ?? timeoutFault(timeoutMs);
  if (fault === undefined) return;
  throw new LineError('ERR_LINE_COMMAND', `The command ${JSON.stringify(command)}: ${fault}.`);
}

function faultOf(args: unknown): string | undefined {
  if (args === undefined || args === 'words' || args === 'rest') return undefined;
  if (!Array.isArray(args)) {
    return `args must be 'words', 'rest' or the words' names, not ${JSON.stringify(args)}`;
  }
  const areNames = args.every((word) => typeof word === 'string' && /^[A-Za-z]\w*\??$/.test(word));
  if (!areNames || args.length === 0) {
    return 'args must name each word: letters, digits and _, a letter first, and ? last if it is optional';
  }
  const words: string[] = args.map(String);
  if (words.some((word, index) => !word.endsWith('?') && words[index - 1]?.endsWith('?'))) {
    return 'args must not name a word behind an optional one that is not optional itself';
  }
  // Where such a word is missing, the payload would have what every object inherits.
  const names = namesOf(words);
  const inherited = names.find((name) => name in Object.prototype);
  if (inherited !== undefined) return `args must not name a word ${inherited}`;
  return new Set(names).size === names.length ? undefined : 'args must not name two words alike';
}

function timeoutFault(timeoutMs: number | undefined): string | undefined {
  if (timeoutMs === undefined) return undefined;
  return wholeNumberFault('timeoutMs', timeoutMs, LINE_OPTION_BOUNDS.handlerTimeoutMs);
}

function refuseMissingArguments(
  method: Declaration,
  used: readonly (number | string)[],
  args: CommandArguments | undefined,
): void {
  for (const wanted of used) {
    const takesIt =
      typeof wanted === 'number'
        ? args === 'words' && Number.isInteger(wanted) && wanted >= 0
        : Array.isArray(args) && namesOf(args).includes(wanted);
    if (takesIt) continue;
    const remedy = typeof wanted === 'number' ? `'words'` : `[…, '${wanted}']`;
    throw new LineError(
      'ERR_LINE_COMMAND',
      `${String(method)} asks for @Arg(${JSON.stringify(wanted)}), which its command does not take; declare args: ${remedy}.`,
    );
  }
}
