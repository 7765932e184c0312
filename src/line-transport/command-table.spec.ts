/** Which command a line is, and what its arguments are. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CommandArguments,
  type CommandOptions,
  Declaration,
  UNKNOWN_COMMAND,
} from './command.decorator.js';
import {
  BadArguments,
  CommandTable,
  payloadOf,
  type RegisteredCommand,
  usageOf,
} from './command-table.js';
import { isBlank } from './line-text.js';

const BAD_QUOTING = new BadArguments(true);
const WRONG_ARGUMENTS = new BadArguments(false);

const handler = (): Promise<void> => Promise.resolve();

function tableOf(
  commands: Readonly<Record<string, CommandOptions>>,
  ignoreCase = false,
): CommandTable {
  const table = new CommandTable(ignoreCase);
  for (const [name, options] of Object.entries(commands)) table.add(name, handler, false, options);
  return table;
}

function commandOf(name: string, args?: CommandArguments): RegisteredCommand {
  const table = new CommandTable(false);
  table.add(name, handler, false, args === undefined ? {} : { args });
  const command = table.find(name);
  if (command === undefined) throw new Error(`${name} was not found`);
  return command;
}

/** Whether a line is a command's name, or its name and what a blank separates from it. */
function begins(line: string, { name, args }: RegisteredCommand, table: CommandTable): boolean {
  const isNamed = table.keyOf(line.slice(0, name.length)) === table.keyOf(name);
  if (args === undefined) return isNamed && line.length === name.length;
  return isNamed && (line.length === name.length || isBlank(line.charCodeAt(name.length)));
}

function payload(args: CommandArguments | undefined, line: string): unknown {
  return payloadOf(commandOf('SET', args), line);
}

describe('A command that takes nothing', () => {
  const table = tableOf({ TIME: {}, 'LIST ALL': {} });

  it.each(['TIME', 'LIST ALL'])('is the line %j', (line) => {
    expect(table.find(line)?.name).toBe(line);
  });

  it.each(['', 'TIM', 'TIME now', 'TIME TIME', 'TIMES', 'time', 'LIST', 'LIST  ALL', 'LIST ALL x'])(
    'is not the line %j',
    (line) => {
      expect(table.find(line)).toBeUndefined();
    },
  );
});

describe('A command that takes arguments', () => {
  const table = tableOf({
    SET: { args: 'words' },
    'SET ALL': { args: ['value'] },
    'GET ALL': { args: 'rest' },
  });

  it.each([
    ['SET', 'SET'],
    ['SET a', 'SET'],
    ['SET  a', 'SET'],
    ['SET\ta', 'SET'],
    ['SET\u3000a', 'SET'],
    ['SET ALLOWED', 'SET'],
    ['SET "ALL"', 'SET'],
    ['SET  ALL', 'SET'],
    ['SET ALL', 'SET ALL'],
    ['SET ALL x', 'SET ALL'],
    ['SET ALL\tx y', 'SET ALL'],
    ['GET ALL of it', 'GET ALL'],
  ])('is the line %j: %s, the longest name that fits', (line, name) => {
    expect(table.find(line)?.name).toBe(name);
  });

  it.each([
    'SETA',
    'SET,a',
    'SET"a"',
    'SE T',
    'SE',
    'GET',
    'GET x',
    'GET  ALL',
    'set a',
    '"SET" a',
  ])('is not the line %j', (line) => {
    expect(table.find(line)).toBeUndefined();
  });

  it('leaves a longer name to the command that takes nothing, as long as nothing follows', () => {
    const both = tableOf({ SET: { args: 'words' }, 'SET ALL': {} });
    expect(both.find('SET ALL')?.name).toBe('SET ALL');
    expect(both.find('SET ALL x')?.name).toBe('SET');
  });

  it('is found behind the longest name that was ever declared, and does not cost more', () => {
    const name = 'x'.repeat(1_000);
    const long = tableOf({ [name]: { args: 'rest' }, A: { args: 'rest' } });
    expect(long.find(`${name} ${' '.repeat(1_000_000)}y`)?.name).toBe(name);
    expect(long.find(`A${' '.repeat(1_000_000)}y`)?.name).toBe('A');
    expect(long.find(`B${' '.repeat(1_000_000)}y`)).toBeUndefined();
  });
});

describe('A name', () => {
  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', UNKNOWN_COMMAND])(
    'that nobody declared is none, such as %j',
    (line) => {
      const table = tableOf({ TIME: {}, SET: { args: 'words' } });
      expect(table.find(line)).toBeUndefined();
      expect(table.find(`${line} x`)).toBeUndefined();
      expect(table.isWhole(line)).toBe(false);
    },
  );

  it.each(['__proto__', 'constructor', '{"a":1}', '.*', 'null', '1.0', '"TIME"', 'Größe 大'])(
    'may be any text, such as %s, and is that text alone',
    (name) => {
      const table = new CommandTable(false);
      table.add(name, handler, false, { args: 'rest' });
      expect(table.names).toEqual([name]);
      expect(table.find(`${name} x`)?.name).toBe(name);
      expect(table.find('x')).toBeUndefined();
      expect(table.find(`x${name}`)).toBeUndefined();
    },
  );

  it('is listed where it was first declared, without what answers unknown commands', () => {
    const table = new CommandTable(false);
    expect(table.names).toEqual([]);
    for (const name of ['ZULU', UNKNOWN_COMMAND, 'ALPHA', '10', '9', 'ZULU']) {
      table.add(name, handler, false, {});
    }
    expect(table.names).toEqual(['ZULU', 'ALPHA', '10', '9']);
    expect(table.size).toBe(5);
    expect(table.fallback?.name).toBe(UNKNOWN_COMMAND);
  });

  it('finds no command in any text that does not begin with it', () => {
    const names = fc.constantFrom('SET', 'SET ALL', 'GET', 'a', '"', 'Größe', '__proto__');
    const args = fc.constantFrom<CommandArguments | undefined>(undefined, 'words', 'rest', [
      'key',
      'to?',
    ]);
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({
        unit: fc.constantFrom('SET', 'ALL', 'GET', 'a', 'Größe', '"', ' ', '\t', '\u2028'),
      }),
    );
    fc.assert(
      fc.property(fc.dictionary(names, args), text, fc.boolean(), (declared, line, ignoreCase) => {
        const table = new CommandTable(ignoreCase);
        for (const [name, takes] of Object.entries(declared)) {
          table.add(name, handler, false, { ...(takes && { args: takes }) });
        }
        const found = table.find(line);
        const fits =
          found === undefined ? !Object.hasOwn(declared, line) : begins(line, found, table);
        expect(fits).toBe(true);
        expect(() => found && payloadOf(found, line)).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('A table that ignores case', () => {
  const table = tableOf({ Stop: {}, 'Set It': { args: ['value'] }, ÄRA: {} }, true);

  it.each([
    ['STOP', 'Stop'],
    ['stop', 'Stop'],
    ['sToP', 'Stop'],
    ['SET IT x', 'Set It'],
    ['set it X', 'Set It'],
    ['Ära', 'ÄRA'],
  ])('takes %s for %s', (line, name) => {
    expect(table.find(line)?.name).toBe(name);
  });

  it.each(['ſtop', 'ﬆop', 'ＳＴＯＰ', 'set ıt x', 'SET İT x', 'ära'])(
    'does so in ASCII only: %s is another word',
    (line) => {
      expect(table.find(line)).toBeUndefined();
    },
  );

  it('lists the names, and tells the usage, as they were declared', () => {
    expect(table.names).toEqual(['Stop', 'Set It', 'ÄRA']);
    const command = table.find('SET IT');
    expect(command && usageOf(command)).toBe('Set It <value>');
  });

  it('leaves the case of the arguments alone', () => {
    const command = table.find('sEt iT aBc');
    expect(command && payloadOf(command, 'sEt iT aBc')).toEqual({ value: 'aBc' });
  });

  it('is not what a table is that was not asked to', () => {
    expect(tableOf({ Stop: {} }).find('STOP')).toBeUndefined();
  });
});

describe('A line is whole without its end', () => {
  const table = tableOf({
    TIME: {},
    SET: { args: 'words' },
    NOTE: { args: 'rest' },
    'SET ALL': {},
  });

  it.each(['TIME', 'SET ALL'])('if it is %j, which nothing may follow', (line) => {
    expect(table.isWhole(line)).toBe(true);
  });

  it.each(['', 'TIM', 'TIME now', 'SET', 'SET x', 'NOTE', 'NOTE x', 'NOPE'])(
    'but not if it is %j',
    (line) => {
      expect(table.isWhole(line)).toBe(false);
    },
  );

  it('in any case, if case is ignored', () => {
    expect(tableOf({ TIME: {} }, true).isWhole('time')).toBe(true);
    expect(tableOf({ TIME: {} }).isWhole('time')).toBe(false);
  });
});

describe('The payload', () => {
  it.each<[string, CommandArguments | undefined, string, unknown]>([
    ['is empty for a command that takes nothing', undefined, 'SET', ''],
    ['is the words', 'words', 'SET a  "b c" d', ['a', 'b c', 'd']],
    ['is no words where there are none', 'words', 'SET', []],
    ['is no words where there are blanks', 'words', 'SET \t ', []],
    ['is the text behind the name, as it is', 'rest', 'SET  "a  b" \\n c', '"a  b" \\n c'],
    ['is the text behind the name, also if its quotes are odd', 'rest', 'SET "a', '"a'],
    ['is empty text where there is none', 'rest', 'SET', ''],
    ['is the words by their names', ['key', 'value'], 'SET a "b c"', { key: 'a', value: 'b c' }],
    ['has an empty word if one was sent', ['key', 'value'], 'SET "" x', { key: '', value: 'x' }],
    ['has an optional word if it was sent', ['key', 'to?'], 'SET a b', { key: 'a', to: 'b' }],
    ['has an optional word if an empty one was sent', ['to?'], 'SET ""', { to: '' }],
  ])('%s', (_, args, line, expected) => {
    expect(payload(args, line)).toEqual(expected);
  });

  it('lacks the optional words that were not sent, rather than having them undefined', () => {
    expect(payload(['key', 'value?'], 'SET a')).toStrictEqual({ key: 'a' });
    expect(payload(['a', 'b?', 'c?'], 'SET 1 2')).toStrictEqual({ a: '1', b: '2' });
    expect(payload(['key?', 'value?'], 'SET')).toStrictEqual({});
  });

  it('is the whole line for what answers unknown commands', () => {
    const command = commandOf(UNKNOWN_COMMAND);
    expect(payloadOf(command, 'what "ever')).toBe('what "ever');
  });

  it('is none if there are more words than names', () => {
    expect(payload(['key'], 'SET a b')).toEqual(WRONG_ARGUMENTS);
    expect(payload(['key'], 'SET "a b"')).toEqual({ key: 'a b' });
    expect(payload(['key', 'value?'], 'SET a b c')).toEqual(WRONG_ARGUMENTS);
    expect(payload('words', `SET${' x'.repeat(10_000)}`)).toHaveLength(10_000);
  });

  it('is none if a word is missing that is not optional', () => {
    expect(payload(['key'], 'SET')).toEqual(WRONG_ARGUMENTS);
    expect(payload(['key'], 'SET \t ')).toEqual(WRONG_ARGUMENTS);
    expect(payload(['key', 'value'], 'SET a')).toEqual(WRONG_ARGUMENTS);
    expect(payload(['key', 'value'], 'SET "a b"')).toEqual(WRONG_ARGUMENTS);
    expect(payload(['key', 'value?'], 'SET')).toEqual(WRONG_ARGUMENTS);
    expect(payload(['key'], 'SET ""')).toEqual({ key: '' });
  });

  it('is none if the quoting is malformed, whatever else is wrong', () => {
    for (const args of ['words', ['key'], ['key', 'value'], ['key?']] as const) {
      expect(payload(args, 'SET "a')).toEqual(BAD_QUOTING);
      expect(payload(args, 'SET "a"b')).toEqual(BAD_QUOTING);
      expect(payload(args, String.raw`SET a b c "\q"`)).toEqual(BAD_QUOTING);
    }
  });
});

describe('The usage', () => {
  it.each<[CommandArguments | undefined, string]>([
    [undefined, 'SET'],
    ['words', 'SET'],
    ['rest', 'SET'],
    [['key'], 'SET <key>'],
    [['key', 'value'], 'SET <key> <value>'],
    [['key?'], 'SET [key]'],
    [['key', 'value?'], 'SET <key> [value]'],
    [['key', 'from?', 'to?'], 'SET <key> [from] [to]'],
  ])('of a command with args %j is %s', (args, usage) => {
    expect(usageOf(commandOf('SET', args))).toBe(usage);
  });
});

describe('A second declaration of a command', () => {
  const one = new Declaration('OneController', 'one');
  const other = new Declaration('OtherController', 'other');

  it('is refused, and both methods are named', () => {
    const table = new CommandTable(false);
    table.add('A', handler, false, { declaredBy: one });
    expect(() => table.add('A', handler, false, { declaredBy: other })).toThrow(
      'Two methods answer "A": OneController.one and OtherController.other. Remove one, or give it another command.',
    );
  });

  it('is refused in another case if case is ignored, and only then', () => {
    const table = new CommandTable(true);
    table.add('A', handler, false, { declaredBy: one });
    expect(() => table.add('a', handler, false, { declaredBy: other })).toThrow('Two methods');
    const exact = new CommandTable(false);
    exact.add('A', handler, false, { declaredBy: one });
    exact.add('a', handler, false, { declaredBy: other });
    expect(exact.names).toEqual(['A', 'a']);
  });

  it('is no other if it is the same method', () => {
    const table = new CommandTable(false);
    table.add('A', handler, false, { declaredBy: one });
    table.add('A', handler, false, { declaredBy: one });
    expect(table.names).toEqual(['A']);
  });

  it('is refused if one is a command and the other an event, in either order', () => {
    for (const isEvent of [true, false]) {
      const table = new CommandTable(false);
      table.add('A', handler, isEvent, {});
      expect(() => table.add('A', handler, !isEvent, {})).toThrow(
        '"A" is both a command and an event.',
      );
    }
  });

  it('is no other for an event, which may have several methods', () => {
    const table = new CommandTable(false);
    table.add('A', handler, true, { declaredBy: one });
    table.add('A', () => Promise.reject(new Error('the second')), true, { declaredBy: other });
    expect(table.find('A')?.handler).toBe(handler);
  });
});

describe('Wrong options', () => {
  it.each<[string, CommandOptions, string]>([
    [
      'no names',
      { args: [] },
      'args must name each word: letters, digits and _, a letter first, and ? last if it is optional',
    ],
    ['a name that is none', { args: ['a-b'] }, 'args must name each word'],
    ['two words of one name', { args: ['a', 'a'] }, 'args must not name two words alike'],
    ['the same, one optional', { args: ['a', 'a?'] }, 'args must not name two words alike'],
    [
      'a required word behind an optional one',
      { args: ['a?', 'b'] },
      'args must not name a word behind an optional one that is not optional itself',
    ],
    [
      'no number',
      { timeoutMs: Number.NaN },
      'timeoutMs must be a whole number from 0 to 86400000, not NaN',
    ],
  ])('are refused wherever they were declared: %s', (_, options, fault) => {
    const table = new CommandTable(false);
    expect(() => table.add('A', handler, false, options)).toThrow(`The command "A": ${fault}`);
    expect(table.size).toBe(0);
  });
});
