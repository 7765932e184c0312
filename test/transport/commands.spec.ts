/** Which method answers which line. */
import { Controller, Module } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { describe, expect, it } from 'vitest';
import { Command, type LineReply, UnknownCommand } from '../../src/line-transport/index.js';
import { createLineApplication, startLineApplication } from '../support/line-application.js';
import { EchoController, FallbackController } from './controllers.js';

describe('A method', () => {
  it('may answer several commands', async () => {
    @Controller()
    class FarewellController {
      @Command(['BYE', 'CIAO'])
      bye(): LineReply {
        return 'See you';
      }
    }

    const { connect, server } = await startLineApplication([FarewellController]);
    const client = await connect();
    client.send('BYE\nCIAO\nADIEU\n');
    expect(await client.lines(3)).toEqual([
      'See you',
      'See you',
      'UNKNOWN COMMAND. Use BYE or CIAO.',
    ]);
    expect(server.commands.map(({ name }) => name)).toEqual(['BYE', 'CIAO']);
  });

  it('may answer any text: nothing is read as JSON, a pattern or a property', async () => {
    const names = [
      '1.0',
      'null',
      '"PING"',
      '{"a":1}',
      '.*',
      'constructor',
      '__proto__',
      'Größe 大',
    ];

    @Controller()
    class LiteralController {
      @Command(names)
      literal(): LineReply {
        return 'literally';
      }
    }

    const { connect } = await startLineApplication([LiteralController]);
    const client = await connect();
    client.send(names.map((name) => `${name}\n`).join(''));
    expect(await client.lines(names.length)).toEqual(names.map(() => 'literally'));
  });

  it.each(['__proto__', 'constructor', 'toString', '"PING"', '{}'])(
    'does not answer %s unless it says so',
    async (line) => {
      const { connect } = await startLineApplication([EchoController]);
      const client = await connect();
      client.send(`${line}\n`);
      expect(await client.line()).toMatch(/^UNKNOWN COMMAND/);
    },
  );

  it("may be one with Nest's own decorator", async () => {
    @Controller()
    class PlainController {
      @MessagePattern('PLAIN')
      plain(): LineReply {
        return 'plainly';
      }
    }

    const { connect } = await startLineApplication([PlainController]);
    const client = await connect();
    client.send('PLAIN\n');
    expect(await client.line()).toBe('plainly');
  });
});

describe('Two methods that answer one command', () => {
  @Controller()
  class OtherController {
    @Command(['PONG', 'PING'])
    other(): LineReply {
      return 'other';
    }
  }

  @Controller()
  class SecondFallbackController {
    @UnknownCommand()
    second(): LineReply {
      return 'second';
    }
  }

  it('stop the start, and both are named', async () => {
    const { app } = await createLineApplication([EchoController, OtherController]);
    await expect(app.init()).rejects.toMatchObject({
      code: 'ERR_LINE_COMMAND',
      message:
        'Two methods answer "PING": EchoController.ping and OtherController.other. Remove one, or give it another command.',
    });
  });

  it("stop the start also when one is declared with Nest's own decorator", async () => {
    @Controller()
    class PlainController {
      @MessagePattern('PING')
      ping(): LineReply {
        return 'plainly';
      }
    }

    const { app } = await createLineApplication([EchoController, PlainController]);
    await expect(app.init()).rejects.toThrow(
      'Two methods answer "PING": EchoController.ping and one with @MessagePattern.',
    );
  });

  it('stop the start also when they answer unknown commands', async () => {
    const { app } = await createLineApplication([FallbackController, SecondFallbackController]);
    await expect(app.init()).rejects.toThrow(
      'Two methods answer unknown commands: FallbackController.unknown and SecondFallbackController.second.',
    );
  });

  it('are not those of one class that two modules have', async () => {
    @Module({ controllers: [EchoController] })
    class FirstModule {}

    @Module({ controllers: [EchoController], imports: [FirstModule] })
    class SecondModule {}

    const { connect } = await startLineApplication([], {}, [], [FirstModule, SecondModule]);
    const client = await connect();
    client.send('PING\n');
    expect(await client.line()).toBe('PONG');
  });
});
