/**
 * The words that an application says instead of the default ones: what is wrong with them, and what is said where they fail.
 */
import { ENGLISH, type LineWords } from './line-errors.js';

/** What is wrong with words from plain JavaScript. */
export function wordFaults(words: unknown): string[] {
  if (typeof words !== 'object' || words === null) return ['words must be a LineWords'];
  return Object.entries(ENGLISH)
    .filter(([name, word]) => typeof Reflect.get(words, name) !== typeof word)
    .map(([name, word]) => `words.${name} must be a ${typeof word}`);
}

/** Words for every case: where a function that was given throws, or says no text, the default words are said. */
export function sureWords(words: LineWords): LineWords {
  const { badQuoting, serverFull, idleTimeout, handlerTimeout, tooManyErrors, serverError } = words;
  return {
    unknownCommand: sure((commands) => words.unknownCommand(commands), ENGLISH.unknownCommand),
    lineTooLong: sure((maxLineBytes) => words.lineTooLong(maxLineBytes), ENGLISH.lineTooLong),
    badQuoting,
    wrongArguments: sure((usage) => words.wrongArguments(usage), ENGLISH.wrongArguments),
    rejected: sure((reason) => words.rejected(reason), ENGLISH.rejected),
    serverFull,
    idleTimeout,
    handlerTimeout,
    tooManyErrors,
    serverError,
  };
}

function sure<Fact>(
  say: (fact: Fact) => string,
  otherwise: (fact: Fact) => string,
): (fact: Fact) => string {
  return (fact) => {
    try {
      const said: unknown = say(fact);
      if (typeof said === 'string') return said;
      if (said instanceof Promise) said.catch(() => undefined); // nobody is left to wait for it
    } catch {
      // It throws: the same.
    }
    return otherwise(fact);
  };
}
