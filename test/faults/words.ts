/** The words of the model, as a server is told them. */
import type { LineWords } from '../../src/line-transport/index.js';
import { WORDS } from './model.js';

export const SAID: LineWords = {
  ...WORDS,
  unknownCommand: () => WORDS.unknownCommand,
  lineTooLong: () => WORDS.lineTooLong,
  badQuoting: 'not said',
  wrongArguments: () => 'not said',
  rejected: (reason) => `ERROR: ${reason}`,
  serverFull: 'not said',
};
