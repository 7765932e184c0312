/** What may follow a command's name, and what its method is given of it. */
import {
  Controller,
  DefaultValuePipe,
  ParseBoolPipe,
  ParseIntPipe,
  type PipeTransform,
  type Provider,
  StandardSchemaValidationPipe,
  type Type,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { APP_PIPE } from '@nestjs/core';
import { Ctx, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { Type as TypeOf } from 'class-transformer';
import { IsInt, IsOptional, IsString, Matches, Max, MaxLength } from 'class-validator';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import {
  Arg,
  Args,
  Command,
  LINE_TRANSPORT,
  LineContext,
  type LineReply,
  type LineServer,
  type LineServerOptions,
  quoteWord,
  RawLine,
  UnknownCommand,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { createLineApplication, startLineApplication } from '../support/line-application.js';

/** A server of these controllers that does not listen. */
async function serverOf(
  controllers: Type[],
  options: LineServerOptions = {},
  providers: Provider[] = [],
): Promise<LineServer> {
  const { app, server } = await createLineApplication(controllers, options, providers);
  await app.init();
  return server;
}

function globally(pipe: PipeTransform): Provider {
  return { provide: APP_PIPE, useValue: pipe };
}

@Controller()
class StoreController {
  @Command('TIME')
  time(@Payload() payload: unknown): LineReply {
    return `TIME ${JSON.stringify(payload)}`;
  }

  @Command('WORDS', { args: 'words' })
  words(@Args() words: string[]): LineReply {
    return JSON.stringify(words);
  }

  @Command(['SET', 'PUT'], { args: ['key', 'value'] })
  set(@Args() named: unknown): LineReply {
    return JSON.stringify(named);
  }

  @Command('FIND', { args: ['key', 'from?', 'to?'] })
  find(@Args() named: unknown): LineReply {
    return JSON.stringify(named);
  }

  @Command('KEYS', { args: ['prefix?'] })
  keys(@Args() named: unknown): LineReply {
    return JSON.stringify(named);
  }

  @Command('NOTE', { args: 'rest' })
  note(@Args() text: string): LineReply {
    return JSON.stringify(text);
  }

  @Command('LIST ALL', { args: 'words' })
  list(@Args() words: string[]): LineReply {
    return `all ${words.join('+')}`;
  }

  @Command('ECHO', { args: 'words' })
  echo(@Args() words: string[]): LineReply {
    return words;
  }

  @Command('REJECT', { args: 'words' })
  reject(@Arg(0) word: string): LineReply {
    throw new RpcException(`no ${word}`);
  }
}

describe('A command that takes nothing', () => {
  it.each(['TIME now', 'TIME ""', 'TIME TIME', 'TIME\tnow', 'TIMEnow'])(
    'is unknown with more on its line: %j',
    async (line) => {
      const server = await serverOf([StoreController]);
      expect(await server.inject(line)).toMatch(/^UNKNOWN COMMAND/);
      expect(server.stats().protocolErrors).toEqual({
        unknownCommand: 1,
        badArguments: 0,
        lineTooLong: 0,
      });
    },
  );

  it('is given an empty payload, with or without blanks around it', async () => {
    const server = await serverOf([StoreController]);
    expect(await server.inject('TIME')).toBe('TIME ""');
    expect(await server.inject('  TIME \t ')).toBe('TIME ""');
  });

  it('leaves the line with more on it to the method for unknown commands', async () => {
    @Controller()
    class CuriousController {
      @UnknownCommand()
      unknown(@Payload() line: string, @RawLine() raw: string): LineReply {
        return `${line}|${raw}`;
      }
    }

    const server = await serverOf([StoreController, CuriousController]);
    expect(await server.inject(' TIME  "now ')).toBe('TIME  "now|TIME  "now');
  });
});

describe('A command may take', () => {
  it.each([
    ['words', 'WORDS', '[]'],
    ['words', 'WORDS one  "two three"\t4', '["one","two three","4"]'],
    ['words', 'WORDS ""', '[""]'],
    ['words', String.raw`WORDS "\u0041\\ \"b\"" it's 5"`, String.raw`["A\\ \"b\"","it's","5\""]`],
    ['words', 'WORDS Größe 大\u3000小', '["Größe","大","小"]'],
    ['named words', 'SET color "dark red"', '{"key":"color","value":"dark red"}'],
    ['named words', 'SET "" ""', '{"key":"","value":""}'],
    ['named words', 'PUT color red', '{"key":"color","value":"red"}'],
    ['named words, optional ones left out', 'FIND color', '{"key":"color"}'],
    ['named words, the last one left out', 'FIND color 1', '{"key":"color","from":"1"}'],
    ['named words, optional ones too', 'FIND color "" 9', '{"key":"color","from":"","to":"9"}'],
    ['named words that are all optional', 'KEYS', '{}'],
    ['named words that are all optional', 'KEYS co', '{"prefix":"co"}'],
    ['the rest of its line', 'NOTE', '""'],
    ['the rest of its line', 'NOTE   it\'s  "as it is" \\n ', String.raw`"it's  \"as it is\" \\n"`],
    ['words behind a name of two words', 'LIST ALL a b', 'all a+b'],
  ])('%s: %s', async (_, line, reply) => {
    const server = await serverOf([StoreController]);
    expect(await server.inject(line)).toBe(reply);
    expect(server.stats()).toMatchObject({ lines: 1, rejected: 0, handlerErrors: 0 });
  });

  it.each(['WORDSa', 'WORD a', 'words a', '"WORDS" a', 'LIST a', 'LIST  ALL a', 'a WORDS'])(
    'these behind its name only, and not in %j',
    async (line) => {
      const server = await serverOf([StoreController]);
      expect(await server.inject(line)).toMatch(/^UNKNOWN COMMAND/);
    },
  );

  it.each(['1.0', '1', '-0', 'null', 'true', '{"a":1}', '[1]', '__proto__', 'constructor', '$&'])(
    'the word %s, which is that text and nothing else',
    async (word) => {
      const server = await serverOf([StoreController]);
      expect(await server.inject(`WORDS ${word}`)).toBe(JSON.stringify([word]));
      expect(await server.inject(`SET ${word} ${word}`)).toBe(
        JSON.stringify({ key: word, value: word }),
      );
      expect(await server.inject(`NOTE ${word}`)).toBe(JSON.stringify(word));
    },
  );

  it('the name of a command in quotes, which is then no command', async () => {
    const server = await serverOf([StoreController]);
    expect(await server.inject('WORDS "TIME" TIME')).toBe('["TIME","TIME"]');
    expect(await server.inject('"TIME"')).toMatch(/^UNKNOWN COMMAND/);
    expect(await server.inject('"WORDS a"')).toMatch(/^UNKNOWN COMMAND/);
  });

  it('what quoteWord writes, whatever that is', async () => {
    const server = await serverOf([StoreController]);
    const words = ['', ' ', '"', '\\', 'a b', '\r\n', '\0', '\u2028', '😀', String.raw`\u0041`];
    expect(await server.inject(`WORDS ${words.map(quoteWord).join(' ')}`)).toBe(
      JSON.stringify(words).replaceAll('\0', ' '),
    );
  });

  it("the same with Nest's own decorator", async () => {
    @Controller()
    class PlainController {
      @MessagePattern('ADD', LINE_TRANSPORT, { args: 'words' })
      add(@Payload('0', ParseIntPipe) one: number, @Arg(1, ParseIntPipe) other: number): LineReply {
        return one + other;
      }

      @MessagePattern('PAIR', LINE_TRANSPORT, { args: ['key', 'value?'] })
      pair(@Payload() pair: unknown): LineReply {
        return JSON.stringify(pair);
      }

      @MessagePattern('BARE', LINE_TRANSPORT)
      bare(): LineReply {
        return 'bare';
      }
    }

    const server = await serverOf([PlainController]);
    expect(await server.inject('ADD 1 2')).toBe('3');
    expect(await server.inject('PAIR a')).toBe('{"key":"a"}');
    expect(await server.inject('PAIR a b')).toBe('{"key":"a","value":"b"}');
    expect(await server.inject('PAIR')).toBe('WRONG ARGUMENTS. Use PAIR <key> [value].');
    expect(await server.inject('PAIR a b c')).toBe('WRONG ARGUMENTS. Use PAIR <key> [value].');
    expect(await server.inject('BARE')).toBe('bare');
    expect(await server.inject('BARE x')).toMatch(/^UNKNOWN COMMAND/);
  });
});

describe('A method may ask for', () => {
  @Controller()
  class AskingController {
    @Command('DOUBLE', { args: 'words' })
    double(@Arg(0, ParseIntPipe) number: number): LineReply {
      return number * 2;
    }

    @Command('LIMIT', { args: 'words' })
    limit(@Arg(0, new DefaultValuePipe('10'), ParseIntPipe) limit: number): LineReply {
      return limit + 1;
    }

    @Command('SWAP', { args: ['left', 'right'] })
    swap(@Arg('right') right: string, @Arg('left') left: string): LineReply {
      return `${right} ${left}`;
    }

    @Command('PAIR', { args: ['key', 'value?'] })
    pair(
      @Arg('key') key: string,
      @Arg('value', new DefaultValuePipe('nothing')) value: string,
      @Args() all: object,
      @RawLine() line: string,
      @Ctx() context: LineContext,
    ): LineReply {
      return [key, value, Object.keys(all).join(), line, context.command];
    }

    @Command('RAW', { args: 'words' })
    raw(@RawLine({ transform: (line: string) => line.toLowerCase() }) line: string): LineReply {
      return line;
    }

    @Command('COUNT', { args: 'words' })
    count(@Args({ transform: (words: string[]) => words.length }) count: number): LineReply {
      return count;
    }
  }

  it('a word by its place, through pipes', async () => {
    const server = await serverOf([AskingController]);
    expect(await server.inject('DOUBLE 21')).toBe('42');
    expect(await server.inject('DOUBLE "21" and more')).toBe('42');
  });

  it.each(['DOUBLE', 'DOUBLE x', 'DOUBLE 1.5', 'DOUBLE ""', 'DOUBLE 0x10'])(
    'what a pipe then refuses, in one line with its reason: %s',
    async (line) => {
      const server = await serverOf([AskingController]);
      expect(await server.inject(line)).toBe(
        'ERROR: Validation failed (numeric string is expected)',
      );
      expect(server.stats()).toMatchObject({
        rejected: 1,
        handlerErrors: 0,
        protocolErrors: { badArguments: 0 },
      });
    },
  );

  it('a word that a pipe has a default for, if it was not sent', async () => {
    const server = await serverOf([AskingController]);
    expect(await server.inject('LIMIT')).toBe('11');
    expect(await server.inject('LIMIT 1')).toBe('2');
  });

  it('words by their names, all of them, the line and its context', async () => {
    const server = await serverOf([AskingController]);
    expect(await server.inject('SWAP a "b c"')).toBe('b c a');
    expect(await server.inject(' PAIR   "a b"  ')).toBe('a b\nnothing\nkey\nPAIR   "a b"\nPAIR');
    expect(await server.inject('PAIR a b')).toBe('a\nb\nkey,value\nPAIR a b\nPAIR');
  });

  it('an optional word by its name without the mark, which is undefined if it was not sent', async () => {
    @Controller()
    class OptionalController {
      @Command('FIND', { args: ['key', 'from?'] })
      find(@Arg('key') key: string, @Arg('from') from?: string): LineReply {
        return `${key} ${typeof from}`;
      }

      @Command('LIMIT', { args: ['limit?'] })
      limit(@Arg('limit') limit = '10'): LineReply {
        return limit;
      }
    }

    const server = await serverOf([OptionalController]);
    expect(await server.inject('FIND a')).toBe('a undefined');
    expect(await server.inject('FIND a ""')).toBe('a string');
    expect(await server.inject('LIMIT')).toBe('10');
    expect(await server.inject('LIMIT 2')).toBe('2');
  });

  it('all words through a pipe', async () => {
    const server = await serverOf([AskingController]);
    expect(await server.inject('COUNT a b "c d"')).toBe('3');
  });

  it('the line as it was sent, through a pipe', async () => {
    const server = await serverOf([AskingController]);
    expect(await server.inject('  RAW  "One \\u0041" TWO  ')).toBe('raw  "one \\u0041" two');
  });
});

describe("Nest's ValidationPipe", () => {
  class Deposit {
    @IsString()
    @Matches(/^[a-z]+$/, { message: 'account must be small letters' })
    account!: string;

    @TypeOf(() => Number)
    @IsInt()
    @Max(100)
    amount!: number;

    @IsOptional()
    @MaxLength(5)
    memo?: string;
  }

  @Controller()
  class DepositController {
    @Command('DEPOSIT', { args: ['account', 'amount', 'memo?', 'other?'] })
    deposit(@Args() deposit: Deposit): LineReply {
      return `${deposit instanceof Deposit} ${JSON.stringify(deposit)}`;
    }
  }

  @Controller()
  class MethodController {
    @UsePipes(new ValidationPipe({ transform: true, whitelist: true }))
    @Command('DEPOSIT', { args: ['account', 'amount', 'memo?', 'other?'] })
    deposit(@Args() deposit: Deposit): LineReply {
      return `${deposit instanceof Deposit} ${JSON.stringify(deposit)}`;
    }
  }

  @Controller()
  class ParameterController {
    @Command('DEPOSIT', { args: ['account', 'amount', 'memo?', 'other?'] })
    deposit(
      @Args(new ValidationPipe({ transform: true, whitelist: true })) deposit: Deposit,
    ): LineReply {
      return `${deposit instanceof Deposit} ${JSON.stringify(deposit)}`;
    }
  }

  it.each<[string, Type, Provider[]]>([
    [
      'globally',
      DepositController,
      [globally(new ValidationPipe({ transform: true, whitelist: true }))],
    ],
    ['on a method', MethodController, []],
    ['on a parameter', ParameterController, []],
  ])('makes an object of named words, and refuses them in one line: %s', async (_, type, pipes) => {
    const server = await serverOf([type], {}, pipes);
    expect(await server.inject('DEPOSIT ada 99')).toBe('true {"account":"ada","amount":99}');
    expect(await server.inject('DEPOSIT ada 99 "a b" extra')).toBe(
      'true {"account":"ada","amount":99,"memo":"a b"}',
    );
    expect(await server.inject('DEPOSIT ada 101')).toBe(
      'ERROR: amount must not be greater than 100',
    );
    expect(await server.inject('DEPOSIT Ada 1.5 "too long"')).toBe(
      'ERROR: account must be small letters; amount must be an integer number; ' +
        'memo must be shorter than or equal to 5 characters',
    );
    expect(await server.inject('DEPOSIT "" x')).toMatch(/^ERROR: account must .*; amount must .*$/);
    const usage = 'WRONG ARGUMENTS. Use DEPOSIT <account> <amount> [memo] [other].';
    expect(await server.inject('DEPOSIT')).toBe(usage);
    expect(await server.inject('DEPOSIT ada')).toBe(usage);
    expect(await server.inject('DEPOSIT ada 99 a b c')).toBe(usage);
    expect(server.stats()).toMatchObject({
      rejected: 3,
      handlerErrors: 0,
      protocolErrors: { badArguments: 3 },
    });
  });

  it('refuses words that nobody asked for, if it is told to', async () => {
    const strict = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true });
    const server = await serverOf([DepositController], {}, [globally(strict)]);
    expect(await server.inject('DEPOSIT ada 9 a b')).toBe('ERROR: property other should not exist');
  });

  it('leaves words, the rest and commands that take nothing as they are', async () => {
    const pipe = new ValidationPipe({ transform: true, whitelist: true });
    const server = await serverOf([StoreController], {}, [globally(pipe)]);
    expect(await server.inject('WORDS 1 "a b"')).toBe('["1","a b"]');
    expect(await server.inject('NOTE 1.0')).toBe('"1.0"');
    expect(await server.inject('TIME')).toBe('TIME ""');
  });

  it('leaves a single word the text it is, whatever its parameter: that is for pipes of their own', async () => {
    @Controller()
    class TypedController {
      @Command('TYPES', { args: ['count', 'flag'] })
      types(@Arg('count') count: number, @Arg('flag', ParseBoolPipe) flag: boolean): LineReply {
        return `${typeof count} ${typeof flag}`;
      }
    }

    const pipe = new ValidationPipe({ transform: true });
    const server = await serverOf([TypedController], {}, [globally(pipe)]);
    expect(await server.inject('TYPES 7 true')).toBe('string boolean');
  });
});

describe("Nest's StandardSchemaValidationPipe", () => {
  const amount = v.pipe(v.string(), v.digits('amount must be digits'), v.transform(Number));
  const deposit = v.object({
    account: v.pipe(v.string(), v.toUpperCase(), v.maxLength(3, 'too long')),
    amount,
  });

  @Controller()
  class SchemaController {
    @Command('PAYLOAD', { args: ['account', 'amount'] })
    payload(@Payload({ schema: deposit }) given: v.InferOutput<typeof deposit>): LineReply {
      return JSON.stringify(given);
    }

    @Command('ARGS', { args: ['account', 'amount?'] })
    args(@Args({ schema: deposit }) given: v.InferOutput<typeof deposit>): LineReply {
      return JSON.stringify(given);
    }

    @Command('ARG', { args: ['account?', 'n?'] })
    arg(@Arg('n', { schema: amount }) n: number): LineReply {
      return n + 1;
    }

    @Command('PLACE', { args: 'words' })
    place(@Arg(1, { schema: v.optional(amount, '5') }) n: number): LineReply {
      return n + 1;
    }

    @Command('SUM', { args: 'words' })
    sum(@Args({ schema: v.array(amount) }) numbers: number[]): LineReply {
      return numbers.reduce((sum, number) => sum + number, 0);
    }
  }

  it('reads arguments by their schemas, installed globally', async () => {
    const server = await serverOf([SchemaController], {}, [
      globally(new StandardSchemaValidationPipe()),
    ]);
    expect(await server.inject('PAYLOAD ada 7')).toBe('{"account":"ADA","amount":7}');
    expect(await server.inject('ARGS ada 7')).toBe('{"account":"ADA","amount":7}');
    expect(await server.inject('ARG ada 7')).toBe('8');
    expect(await server.inject('PLACE x 7')).toBe('8');
    expect(await server.inject('PLACE')).toBe('6');
    expect(await server.inject('SUM 1 2 39')).toBe('42');
  });

  it('refuses arguments in one line with every reason', async () => {
    const server = await serverOf([SchemaController], {}, [
      globally(new StandardSchemaValidationPipe()),
    ]);
    expect(await server.inject('PAYLOAD adalovelace x')).toBe(
      'ERROR: account: too long; amount: amount must be digits',
    );
    expect(await server.inject('ARGS ada')).toMatch(/^ERROR: amount: .+$/);
    expect(await server.inject('ARG ada x')).toBe('ERROR: amount must be digits');
    expect(await server.inject('ARG')).toMatch(/^ERROR: .+$/); // optional on the line, not in the schema
    expect(await server.inject('SUM 1 2 "3\\r\\n" x')).toBe(
      'ERROR: 2: amount must be digits; 3: amount must be digits',
    );
    expect(server.stats()).toMatchObject({ rejected: 5, handlerErrors: 0 });
  });

  it('does the same for one parameter, with pipes before and after it', async () => {
    const trim = { transform: (word?: string) => word?.replaceAll('_', '') };
    const negate = { transform: (number: number) => -number };

    @Controller()
    class OneController {
      @Command('ONE', { args: ['n'] })
      one(
        @Arg('n', { schema: amount, pipes: [trim, StandardSchemaValidationPipe, negate] })
        n: number,
      ): LineReply {
        return n;
      }

      @Command('ALL', { args: ['account', 'amount'] })
      all(
        @Args({ schema: deposit, pipes: [StandardSchemaValidationPipe] })
        given: v.InferOutput<typeof deposit>,
      ): LineReply {
        return JSON.stringify(given);
      }
    }

    const server = await serverOf([OneController]);
    expect(await server.inject('ONE 1_000')).toBe('-1000');
    expect(await server.inject('ONE x')).toBe('ERROR: amount must be digits');
    expect(await server.inject('ALL ada 7')).toBe('{"account":"ADA","amount":7}');
    expect(await server.inject('ALL ada x')).toBe('ERROR: amount: amount must be digits');
  });

  it('is needed: a schema alone checks nothing', async () => {
    const server = await serverOf([SchemaController]);
    expect(await server.inject('ARGS adalovelace x')).toBe(
      '{"account":"adalovelace","amount":"x"}',
    );
  });
});

describe('Arguments that a command does not take', () => {
  it.each([
    ['WORDS "a', 'UNBALANCED QUOTES.'],
    ['WORDS "a"b', 'UNBALANCED QUOTES.'],
    [String.raw`WORDS "\x"`, 'UNBALANCED QUOTES.'],
    ['SET "', 'UNBALANCED QUOTES.'],
    ['SET a b c "', 'UNBALANCED QUOTES.'],
    ['SET', 'WRONG ARGUMENTS. Use SET <key> <value>.'],
    ['SET a', 'WRONG ARGUMENTS. Use SET <key> <value>.'],
    ['SET "a b"', 'WRONG ARGUMENTS. Use SET <key> <value>.'],
    ['SET a b c', 'WRONG ARGUMENTS. Use SET <key> <value>.'],
    ['PUT a b ""', 'WRONG ARGUMENTS. Use PUT <key> <value>.'],
    ['FIND', 'WRONG ARGUMENTS. Use FIND <key> [from] [to].'],
    ['FIND a 1 2 3', 'WRONG ARGUMENTS. Use FIND <key> [from] [to].'],
    ['KEYS a b', 'WRONG ARGUMENTS. Use KEYS [prefix].'],
  ])('are answered so, and the conversation goes on: %s', async (line, reply) => {
    const server = await serverOf([StoreController]);
    const errors: unknown[] = [];
    const failures: unknown[] = [];
    server.on('protocolError', (connection, error) => errors.push(connection.id, error));
    server.on('rejected', () => failures.push('rejected'));
    server.on('handlerError', () => failures.push('handlerError'));
    const client = new LineConversation(server);
    client.send('WORDS a', line, 'WORDS b').end();
    expect(await client.rest()).toEqual(['["a"]', reply, '["b"]']);
    expect(errors).toEqual([1, 'badArguments']);
    expect(failures).toEqual([]);
    expect(server.stats()).toMatchObject({
      lines: 3,
      rejected: 0,
      handlerErrors: 0,
      protocolErrors: { unknownCommand: 0, badArguments: 1, lineTooLong: 0 },
      connections: { ended: { client: 1 } },
    });
  });

  it('do not reach its method, nor its pipes', async () => {
    const reached: unknown[] = [];

    @Controller()
    class RecordingController {
      @Command('RECORD', { args: ['one'] })
      record(@Args({ transform: (given: unknown) => reached.push(given) }) nth: number): void {
        reached.push(nth);
      }
    }

    const server = await serverOf([RecordingController]);
    await server.inject('RECORD');
    await server.inject('RECORD a b');
    await server.inject('RECORD "');
    expect(reached).toEqual([]);
    await server.inject('RECORD a');
    expect(reached).toEqual([{ one: 'a' }, 1]);
  });

  it('are not said to be replies', async () => {
    const server = await serverOf([StoreController]);
    const replies: string[] = [];
    server.on('reply', (_, line) => replies.push(line));
    const client = new LineConversation(server);
    client.send('SET a', 'SET a b c', 'WORDS "', 'WORDS').end();
    await client.rest();
    expect(replies).toEqual(['[]']);
  });
});

describe('An argument that holds CR, LF or NUL', () => {
  const FORGERY = String.raw`"a\r\nJAM 00:00:00\u000d\u000A\u0000b"`;

  it('reaches its method as it was meant', async () => {
    const server = await serverOf([StoreController]);
    expect(await server.inject(`WORDS ${FORGERY}`)).toBe(
      String.raw`["a\r\nJAM 00:00:00\r\n\u0000b"]`,
    );
  });

  it('forges no second line, in a reply, an error line or an event', async () => {
    const server = await serverOf([StoreController]);
    const lines: string[] = [];
    server.on('request', (_, line) => lines.push(line));
    server.on('reply', (_, line) => lines.push(line));
    server.on('rejected', (_, line) => lines.push(line));
    const client = new LineConversation(server);
    client.send(`ECHO ${FORGERY}`, `REJECT ${FORGERY}`, 'ECHO end').end();
    expect(await client.rest()).toEqual(['a JAM 00:00:00 b', 'ERROR: no a JAM 00:00:00 b', 'end']);
    expect(lines).toHaveLength(6);
    expect(lines.filter((line) => /[\r\n\0]/.test(line))).toEqual([]);
  });
});

describe('A server that ignores case', () => {
  it.each([
    ['words A "b C"', '["A","b C"]'],
    ['Set Key VALUE', '{"key":"Key","value":"VALUE"}'],
    ['list all X', 'all X'],
    ['time', 'TIME ""'],
  ])('takes %s, and leaves the case of the arguments', async (line, reply) => {
    const server = await serverOf([StoreController], { ignoreCase: true });
    expect(await server.inject(line)).toBe(reply);
  });

  it('shows commands as they were declared, however they were sent', async () => {
    @Controller()
    class MixedController {
      @Command('Set It', { args: ['key'] })
      set(@Ctx() context: LineContext, @RawLine() line: string): LineReply {
        return [context.command, context.getPattern(), line];
      }
    }

    const server = await serverOf([MixedController], { ignoreCase: true });
    expect(await server.inject('sET iT a')).toBe('Set It\nSet It\nsET iT a');
    expect(await server.inject('SET IT')).toBe('WRONG ARGUMENTS. Use Set It <key>.');
    expect(await server.inject('SET IT a b')).toBe('WRONG ARGUMENTS. Use Set It <key>.');
    expect(await server.inject('nope')).toBe('UNKNOWN COMMAND. Use Set It.');
    expect(server.commands.map(({ name }) => name)).toEqual(['Set It']);
  });

  it('does so in ASCII only', async () => {
    const server = await serverOf([StoreController], { ignoreCase: true });
    expect(await server.inject('ſet a')).toMatch(/^UNKNOWN COMMAND/);
    expect(await server.inject('tıme')).toMatch(/^UNKNOWN COMMAND/);
  });

  @Controller()
  class OneController {
    @Command(['Stop', 'Halt'])
    one(): void {}
  }

  @Controller()
  class OtherController {
    @Command(['GO', 'STOP'])
    other(): void {}
  }

  it('does not start with two commands that differ in case only', async () => {
    const { app } = await createLineApplication([OneController, OtherController], {
      ignoreCase: true,
    });
    await expect(app.init()).rejects.toMatchObject({
      code: 'ERR_LINE_COMMAND',
      message:
        'Two methods answer "STOP": OneController.one and OtherController.other. Remove one, or give it another command.',
    });
  });

  it('is needed for that: by default they are two', async () => {
    const server = await serverOf([OneController, OtherController]);
    expect(server.commands.map(({ name }) => name)).toEqual(['Stop', 'Halt', 'GO', 'STOP']);
  });
});

describe('A wrong declaration stops where it is written:', () => {
  it('a word by its place, of a command that has no words', () => {
    expect(() => {
      @Controller()
      class WrongController {
        @Command('GET')
        get(@Arg(0) key: string): LineReply {
          return key;
        }
      }
      return WrongController;
    }).toThrow(
      "WrongController.get asks for @Arg(0), which its command does not take; declare args: 'words'.",
    );
  });

  it.each([-1, 1.5, Number.NaN])('a word by its place, which is none: %s', (place) => {
    expect(() => {
      @Controller()
      class WrongController {
        @Command('GET', { args: 'words' })
        get(@Arg(place) key: string): LineReply {
          return key;
        }
      }
      return WrongController;
    }).toThrow('WrongController.get asks for @Arg(');
  });

  it('a word by its place, of a command whose words have names', () => {
    expect(() => {
      @Controller()
      class WrongController {
        @Command('GET', { args: ['key'] })
        get(@Arg(0) key: string): LineReply {
          return key;
        }
      }
      return WrongController;
    }).toThrow('WrongController.get asks for @Arg(0), which its command does not take');
  });

  it.each([
    ['of a command that has no words', undefined],
    ['that is not among the names', ['key', 'value'] as const],
    ['that is not among the names, optional ones too', ['key', 'value?'] as const],
    ['of a command whose words have no names', 'words' as const],
    ['of a command that takes the rest', 'rest' as const],
  ])('a word by a name %s', (_, args) => {
    expect(() => {
      @Controller()
      class WrongController {
        @Command('GET', { ...(args && { args }) })
        get(@Arg('kee') key: string): LineReply {
          return key;
        }
      }
      return WrongController;
    }).toThrow(
      `WrongController.get asks for @Arg("kee"), which its command does not take; declare args: […, 'kee'].`,
    );
  });

  it.each([
    [
      { args: [] },
      'args must name each word: letters, digits and _, a letter first, and ? last if it is optional',
    ],
    [{ args: [''] }, 'args must name each word'],
    [{ args: ['a b'] }, 'args must name each word'],
    [{ args: ['0'] }, 'args must name each word'],
    [{ args: ['__proto__'] }, 'args must name each word'],
    [{ args: ['?'] }, 'args must name each word'],
    [{ args: ['?a'] }, 'args must name each word'],
    [{ args: ['a??'] }, 'args must name each word'],
    [{ args: ['a?b'] }, 'args must name each word'],
    [{ args: ['a', 'b', 'a'] }, 'args must not name two words alike'],
    [{ args: ['a', 'a?'] }, 'args must not name two words alike'],
    [{ args: ['a?', 'b?', 'a?'] }, 'args must not name two words alike'],
    [
      { args: ['a?', 'b'] },
      'args must not name a word behind an optional one that is not optional itself',
    ],
    [{ args: ['a', 'b?', 'c', 'd?'] }, 'args must not name a word behind an optional one'],
    [{ args: 'word' as never }, `args must be 'words', 'rest' or the words' names, not "word"`],
    [{ args: {} as never }, `args must be 'words', 'rest' or the words' names, not {}`],
    [{ args: [1] as never }, 'args must name each word'],
    [{ args: ['key', 'constructor'] }, 'args must not name a word constructor'],
    [{ args: ['valueOf'] }, 'args must not name a word valueOf'],
    [{ args: ['key', 'valueOf?'] }, 'args must not name a word valueOf'],
    [{ timeoutMs: -1 }, 'timeoutMs must be a whole number from 0 to 86400000, not -1'],
    [{ timeoutMs: 1.5 }, 'timeoutMs must be a whole number from 0 to 86400000, not 1.5'],
    [{ timeoutMs: 86_400_001 }, 'timeoutMs must be a whole number'],
    [{ timeoutMs: '5' as never }, 'timeoutMs must be a whole number'],
  ])('%j', async (options, fault) => {
    const wrong = { code: 'ERR_LINE_COMMAND' };
    const message = `The command "GET": ${fault}`;
    expect(() => Command('GET', options)).toThrow(expect.objectContaining(wrong));
    expect(() => Command('GET', options)).toThrow(message);

    @Controller()
    class PlainController {
      @MessagePattern('GET', LINE_TRANSPORT, options)
      get(): void {}
    }

    const { app } = await createLineApplication([PlainController]);
    const started = app.init();
    await expect(started).rejects.toMatchObject(wrong);
    await expect(started).rejects.toThrow(message);
  });

  it('and a right one does not', () => {
    for (const args of [
      'words',
      'rest',
      ['a'],
      ['a?'],
      ['a', 'B_2'],
      ['a', 'b', 'B_2?', 'c?'],
    ] as const) {
      expect(() => Command('GET', { args, timeoutMs: 0 })).not.toThrow();
    }
    expect(() => Command('GET', { timeoutMs: 86_400_000 })).not.toThrow();
    expect(() => Command('GET', {})).not.toThrow();
  });
});

describe('Two methods that answer one command with arguments', () => {
  @Controller()
  class OtherController {
    @Command(['SAVE', 'PUT'], { args: 'words' })
    other(): void {}
  }

  it('stop the start, also by a second name and with other arguments', async () => {
    const { app } = await createLineApplication([StoreController, OtherController]);
    await expect(app.init()).rejects.toThrow(
      'Two methods answer "PUT": StoreController.set and OtherController.other.',
    );
  });

  it('are no two if the one name is the beginning of the other', async () => {
    @Controller()
    class LongerController {
      @Command('SET ALL', { args: 'words' })
      all(@Args() words: string[]): LineReply {
        return `longer ${words.join('+')}`;
      }
    }

    const server = await serverOf([StoreController, LongerController]);
    expect(await server.inject('SET ALL a')).toBe('longer a');
    expect(await server.inject('SET AL a')).toBe('{"key":"AL","value":"a"}');
  });
});

describe('An unfinished line', () => {
  const GRACE = { lineGraceMs: 20 };

  it.each(['SET', 'SET color', 'SET color red', 'FIND a', 'KEYS', 'NOTE', 'WORDS "a'])(
    'is not answered early while more may follow: %s',
    async (line) => {
      const { connect, server } = await startLineApplication([StoreController], GRACE);
      const client = await connect();
      client.send(line);
      await expect.poll(() => server.stats().connections.open).toBe(1);
      for (const other of [await connect(), await connect()]) {
        other.send('TIME'); // which nothing may follow
        expect(await other.line()).toBe('TIME ""'); // a grace has passed
      }
      expect(server.stats().lines).toBe(2);
      expect(client.received).toBe('');
      client.send('\n');
      await client.line();
      expect(server.stats().lines).toBe(3);
    },
  );

  it('is answered when its client closes its side', async () => {
    const { connect } = await startLineApplication([StoreController], GRACE);
    const client = await connect();
    expect(await client.end('SET color red').transcript()).toBe(
      '{"key":"color","value":"red"}\r\n',
    );
  });
});

describe('Arguments over a real socket', () => {
  it('may come in any pieces', async () => {
    const { connect } = await startLineApplication([StoreController]);
    const client = await connect();
    for (const byte of Buffer.from('WORDS "größe \\u00e4" 大\r\n')) client.send(Buffer.of(byte));
    expect(Buffer.from(await client.line(), 'latin1').toString()).toBe('["größe ä","大"]');
  });

  it('are as many as a line holds, and not more', async () => {
    const { connect, server } = await startLineApplication([StoreController], {
      maxLineBytes: 100,
    });
    const client = await connect();
    client.send(`WORDS${' x'.repeat(47)}\nWORDS${' x'.repeat(48)}\nWORDS\n`);
    expect(await client.lines(3)).toEqual([
      JSON.stringify(Array.from({ length: 47 }, () => 'x')),
      'LINE TOO LONG. At most 100 bytes.',
      '[]',
    ]);
    expect(server.stats().protocolErrors).toMatchObject({ lineTooLong: 1, badArguments: 0 });
  });
});
