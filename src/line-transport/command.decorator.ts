/**
 * The decorators that make a controller method answer lines.
 */
import { MessagePattern } from '@nestjs/microservices';
import { LineError } from './line-errors.js';
import type { LineAnswer } from './line-reply.js';
import { strip } from './line-text.js';

/** The transport id: a decorated method is registered with line servers only, also in a hybrid application. */
export const LINE_TRANSPORT = Symbol('line');

/** A pattern that no line can spell, since a line has no line end inside. */
export const UNKNOWN_COMMAND = '\nunknown command';

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
 * Answers the lines that are exactly this word, or one of these (blanks around it aside). The method returns what the client
 * is told: a `LineReply`, a Promise of one, or a stream of them.
 *
 * @param name the command, or several that mean the same; case-sensitive
 * @throws {LineError} `ERR_LINE_COMMAND` if no line can spell a name (blanks around it, a line end inside); the same stops the
 *   start if two methods answer one command
 */
export function Command(name: string | readonly string[]): LineHandlerDecorator {
  const names = typeof name === 'string' ? [name] : [...name];
  for (const each of names) {
    if (strip(each) !== each || /[\r\n]/.test(each)) {
      throw new LineError(
        'ERR_LINE_COMMAND',
        `No line can spell the command ${JSON.stringify(each)}: a command has no blanks around it and no line end inside.`,
      );
    }
  }
  return declare(names);
}

/** Answers every line that is no command; its payload is the line. Without it, the server's words are said. */
export function UnknownCommand(): LineHandlerDecorator {
  return declare([UNKNOWN_COMMAND]);
}

function declare(patterns: string[]): LineHandlerDecorator {
  return (target, key, descriptor) => {
    const declaredBy = new Declaration(target.constructor.name, String(key));
    MessagePattern(patterns, LINE_TRANSPORT, { declaredBy })(target, key, descriptor);
  };
}
