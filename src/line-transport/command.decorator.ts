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

/**
 * Answers the lines that are exactly this word (blanks around it aside). The method returns what the client is told:
 * a `LineReply`, a Promise of one, or a stream of them.
 *
 * @param name the command; case-sensitive
 * @throws {LineError} `ERR_LINE_COMMAND` if no line can spell the name (blanks around it, a line end inside)
 */
export function Command(name: string): LineHandlerDecorator {
  if (strip(name) !== name || /[\r\n]/.test(name)) {
    throw new LineError(
      'ERR_LINE_COMMAND',
      `No line can spell the command ${JSON.stringify(name)}: a command has no blanks around it and no line end inside.`,
    );
  }
  return MessagePattern(name, LINE_TRANSPORT);
}

/** Answers every line that is no command; its payload is the line. Without it, the server's words are said. */
export function UnknownCommand(): LineHandlerDecorator {
  return MessagePattern(UNKNOWN_COMMAND, LINE_TRANSPORT);
}
