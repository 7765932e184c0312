/** A client that says nothing right is let go, where that is wished. */
import { Controller } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { Command, type LineReply } from '../../src/line-transport/index.js';
import { nextEvent, startLineApplication } from '../support/line-application.js';
import { talk, prepareLineApplication } from '../support/talk.js';
import { EchoController } from './controllers.js';

const UNKNOWN = 'UNKNOWN COMMAND. Use PING, NEXT, SLOW, QUIT or BYE.';

describe('Lines in a row that the protocol does not allow', () => {
  it('end the conversation with the last that is allowed, of whichever kind they are', async () => {
    const { connect, server } = await startLineApplication([EchoController], {
      maxProtocolErrors: 3,
      maxLineBytes: 10,
    });
    const over = nextEvent(server, 'disconnection');
    const client = await connect();
    client.send('ping\n\nxxxxxxxxxxx\nPING\n');
    expect(await client.transcript()).toBe(
      `${UNKNOWN}\r\n${UNKNOWN}\r\nLINE TOO LONG. At most 10 bytes.\r\nTOO MANY ERRORS.\r\n`,
    );
    client.end();
    expect((await over)[1]).toBe('tooManyErrors');
    expect(server.stats()).toMatchObject({
      lines: 3,
      protocolErrors: { unknownCommand: 2, lineTooLong: 1 },
      connections: { ended: { tooManyErrors: 1 } },
    });
  });

  it.each(['PING', 'SLOW'])('are counted anew after %s', async (command) => {
    const server = await prepareLineApplication([EchoController], [], undefined, {
      maxProtocolErrors: 2,
    });
    const reply = command === 'PING' ? 'PONG' : 'SLOW';
    expect(await talk(server, '?', command, '?', command, '?', '?', command)).toEqual([
      UNKNOWN,
      reply,
      UNKNOWN,
      reply,
      UNKNOWN,
      UNKNOWN,
      'TOO MANY ERRORS.',
    ]);
  });

  it.each(['THROW', 'REJECT'])('are counted anew after a handler that fails: %s', async (line) => {
    @Controller()
    class FailingController {
      @Command('THROW')
      throw(): LineReply {
        throw new Error('failed');
      }

      @Command('REJECT')
      reject(): Promise<LineReply> {
        return Promise.reject(new Error('failed'));
      }
    }

    const server = await prepareLineApplication([FailingController], [], undefined, {
      maxProtocolErrors: 2,
    });
    server.on('handlerError', () => undefined);
    const unknown = 'UNKNOWN COMMAND. Use THROW or REJECT.';
    const [failed, last] = ['SERVER ERROR.', 'TOO MANY ERRORS.'];
    expect(await talk(server, '?', line, '?', line, '?', '?', line)).toEqual([
      unknown,
      failed,
      unknown,
      failed,
      unknown,
      unknown,
      last,
    ]);
  });

  it('may be as many as a client likes by default', async () => {
    const server = await prepareLineApplication([EchoController]);
    const told = await talk(server, ...Array.from({ length: 1_000 }, () => '?'), 'PING');
    expect(told).toHaveLength(1_001);
    expect(told.at(-1)).toBe('PONG');
  });
});
