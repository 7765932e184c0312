/** Methods with nothing attached: they are called directly, as Nest would call them. */
import { Controller, Injectable, Scope, SetMetadata, UseGuards } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  Arg,
  Args,
  CLOSE,
  Command,
  LineContext,
  type LineReply,
  type LineServer,
  type LineStream,
  RawLine,
  UnknownCommand,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { prepareLineApplication, talk } from '../support/talk.js';
import { EveryAnswer } from './controllers.js';

const AUTO = { dispatch: 'auto' } as const;

function start(...controllers: Parameters<typeof prepareLineApplication>[0]): Promise<LineServer> {
  return prepareLineApplication(controllers, [Words], undefined, AUTO);
}

@Injectable()
class Words {
  readonly excuse = 'sorry';
}

@Controller()
class PlainController extends EveryAnswer {
  #count = 0;

  constructor(private readonly words: Words) {
    super();
  }

  @Command('COUNT')
  count(): LineReply {
    return `${this.words.excuse} ${++this.#count}`;
  }

  @SetMetadata('note', 'of the application')
  @Command('NOTED')
  noted(): LineReply {
    return 'noted';
  }
}

describe('A method with nothing attached', () => {
  it('is called directly, whatever it answers', async () => {
    const { commands } = await start(PlainController);
    expect(new Set(commands.map(({ dispatch }) => dispatch))).toEqual(new Set(['direct']));
    expect(commands.map(({ name }) => name)).toContain('LATE');
    expect(commands.find(({ name }) => name === 'COUNT')).toEqual({
      name: 'COUNT',
      dispatch: 'direct',
      reason: 'PlainController.count has nothing attached.',
    });
  });

  it('has its `this`, with what was injected', async () => {
    const server = await start(PlainController);
    expect(await talk(server, 'COUNT', 'COUNT')).toEqual(['sorry 1', 'sorry 2']);
  });

  it('is called directly although another method of its class has a guard', async () => {
    @Controller()
    class MixedController {
      @Command('OPEN')
      open(): LineReply {
        return 'open';
      }

      @UseGuards({ canActivate: () => false })
      @Command('SHUT')
      shut(): LineReply {
        return 'shut';
      }
    }

    const server = await start(MixedController);
    expect(server.commands).toEqual([
      { name: 'OPEN', dispatch: 'direct', reason: 'MixedController.open has nothing attached.' },
      { name: 'SHUT', dispatch: 'pipeline', reason: 'MixedController.shut has a guard.' },
    ]);
    expect(await talk(server, 'OPEN', 'SHUT')).toEqual(['open', 'ERROR: Forbidden resource']);
  });

  it('is called directly although its class has a transient dependency of its own', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    class Own {}

    @Controller()
    class OwnerController {
      constructor(private readonly own: Own) {}

      @Command('OWN')
      tell(): LineReply {
        return this.own.constructor.name;
      }
    }

    const server = await prepareLineApplication([OwnerController], [Own], undefined, AUTO);
    expect(server.commands).toMatchObject([{ dispatch: 'direct' }]);
    expect(await server.inject('OWN')).toBe('Own');
  });

  it('goes through the pipeline on a server that is told to use it', async () => {
    const options = { dispatch: 'pipeline' } as const;
    const server = await prepareLineApplication([PlainController], [Words], undefined, options);
    for (const { dispatch, reason } of server.commands) {
      expect(dispatch).toBe('pipeline');
      expect(reason).toMatch(/is on a server that is told to use it\.$/);
    }
    expect(await server.inject('COUNT')).toBe('sorry 1');
  });
});

describe('What a method is given that is called directly', () => {
  let given: unknown[] = [];
  const note = (...args: unknown[]): void => {
    given = args;
  };

  @Controller()
  class GivenController {
    @Command('NONE')
    none(...args: unknown[]): void {
      note(...args);
    }

    @Command('WORDS', { args: 'words' })
    words(@Arg(1) second: string, @Args() all: string[], @Arg(5) missing?: string): void {
      note(second, all, missing);
    }

    @Command('NAMED', { args: ['key', 'value?'] })
    named(@Arg('value') value: string | undefined, @Arg('key') key: string): void {
      note(value, key);
    }

    @Command('REST', { args: 'rest' })
    rest(
      @RawLine() line: string,
      @Payload() text: string,
      @Payload('length') length: number,
    ): void {
      note(line, text, length);
    }

    @Command('GAPS', { args: 'rest' })
    gaps(_: unknown, @Args() text: string, __: unknown, @Ctx() context: LineContext): void {
      note(_, text, __, context instanceof LineContext && context.line);
    }

    @Command('CONTEXT')
    context(@Ctx() context: LineContext): void {
      note(context.constructor, context.line, context.command, context.getPattern());
    }

    @UnknownCommand()
    unknown(@Payload() line: string, @Ctx() { command }: LineContext): void {
      note(line, command.trim());
    }
  }

  it.each<[line: string, given: unknown[]]>([
    ['NONE', ['']],
    ['WORDS a "b c"', ['b c', ['a', 'b c'], undefined]],
    ['WORDS', [undefined, [], undefined]],
    ['NAMED k v', ['v', 'k']],
    ['NAMED k', [undefined, 'k']],
    ['  REST  any  text ', ['REST  any  text', 'any  text', 9]],
    ['GAPS text', [undefined, 'text', undefined, 'GAPS text']],
    [' CONTEXT ', [LineContext, 'CONTEXT', 'CONTEXT', 'CONTEXT']],
    ['what is it', ['what is it', 'UNKNOWN COMMAND']],
  ])('by %j is what Nest would give it', async (line, expected) => {
    for (const dispatch of ['auto', 'pipeline'] as const) {
      const server = await prepareLineApplication([GivenController], [], undefined, { dispatch });
      const way = dispatch === 'auto' ? 'direct' : 'pipeline';
      expect(new Set(server.commands.map((each) => each.dispatch))).toEqual(new Set([way]));
      given = [];
      expect(await server.inject(line)).toBe('');
      expect(given).toEqual(expected);
    }
  });

  it('is a context of the connection, and of this line alone', async () => {
    const contexts: LineContext[] = [];

    @Controller()
    class KeepingController {
      @Command('KEEP', { args: 'rest' })
      keep(@Ctx() context: LineContext): LineReply {
        contexts.push(context);
        return contexts.length;
      }
    }

    const client = new LineConversation(await start(KeepingController));
    expect(await client.send('KEEP a', 'KEEP b').end().rest()).toEqual(['1', '2']);
    expect(contexts.map(({ line }) => line)).toEqual(['KEEP a', 'KEEP b']);
    for (const { connection, session } of contexts) {
      expect(connection).toBe(client.connection);
      expect(session).toBe(client.connection.session);
    }
  });
});

describe('What methods say that are called directly', () => {
  @Controller()
  class SayingController {
    @Command('NOW')
    now(): LineReply {
      return 'now';
    }

    @Command('LATER')
    later(): Promise<LineReply> {
      return new Promise((resolve) => setImmediate(resolve, 'later'));
    }

    @Command('STREAM')
    stream(@Ctx() { connection }: LineContext): LineStream {
      connection.push('pushed before');
      setImmediate(() => connection.push('pushed meanwhile'));
      return of('one', 'two');
    }

    @Command('SLOWLY')
    async *slowly(@Ctx() { connection }: LineContext): AsyncGenerator<LineReply> {
      yield 'first';
      connection.push('pushed meanwhile');
      await new Promise((resolve) => setImmediate(resolve));
      yield 'last';
    }

    @Command('PUSH')
    push(@Ctx() { connection }: LineContext): LineReply {
      connection.push('pushed');
      return ['reply', 'and more'];
    }

    @Command('QUIT')
    quit(): LineReply {
      return CLOSE;
    }
  }

  it('is said in the order of the lines, however late it comes', async () => {
    const server = await start(SayingController);
    expect(await talk(server, 'LATER', 'NOW', 'SLOWLY', 'NOW', 'LATER', 'NOW')).toEqual([
      'later',
      'now',
      'first',
      'last',
      'pushed meanwhile',
      'now',
      'later',
      'now',
    ]);
  });

  it('is said whole: what is pushed comes before it or behind it', async () => {
    const server = await start(SayingController);
    expect(await talk(server, 'PUSH', 'NOW')).toEqual(['pushed', 'reply', 'and more', 'now']);
    const client = new LineConversation(server).send('STREAM');
    const said = [await client.next(), await client.next(), await client.next()];
    expect(said).toEqual(['pushed before', 'one', 'two']);
    expect(await client.next()).toBe('pushed meanwhile');
  });

  it('ends with CLOSE: lines behind it are not served', async () => {
    const server = await start(SayingController);
    expect(await talk(server, 'NOW', 'QUIT', 'NOW')).toEqual(['now']);
    expect(server.stats().lines).toBe(2);
  });
});
