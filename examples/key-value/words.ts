/**
 * WORDS: the transport's error lines in the form of this protocol.
 */
import type { LineWords } from '../../src/line-transport/index.js';

export const WORDS: LineWords = {
  unknownCommand: (commands) => `-ERR unknown command, use ${commands.join(' ')}`,
  lineTooLong: (maxLineBytes) => `-ERR a line has at most ${maxLineBytes} bytes`,
  badQuoting: '-ERR unbalanced quotes',
  wrongArguments: (usage) => `-ERR wrong arguments, use ${usage}`,
  rejected: (reason) => `-ERR ${reason}`,
  serverFull: '-ERR too many clients',
  idleTimeout: '-ERR idle for too long',
  handlerTimeout: '-ERR no answer in time',
  tooManyErrors: '-ERR too many errors',
  serverError: '-ERR defect',
};
