/**
 * The client example, beside the key-value example and without it.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LineClient, type LineClientOptions } from '../../src/line-transport/index.js';
import { startExample } from '../../test/support/example.js';
import { freePort } from '../../test/support/free-port.js';
import { KeyValueModule } from '../key-value/key-value.module.js';
import { ClientModule } from './client.module.js';
import { KEY_VALUE, ScoreBoard } from './score-board.service.js';

async function boardAt(options: LineClientOptions): Promise<ScoreBoard> {
  const client = new LineClient({ host: '127.0.0.1', ...options });
  const module = await Test.createTestingModule({ imports: [ClientModule] })
    .overrideProvider(KEY_VALUE)
    .useValue(client)
    .compile();
  onTestFinished(async () => {
    await module.close();
    await client.close();
  });
  return module.get(ScoreBoard);
}

describe('The client example', () => {
  it('keeps its scores in the key-value service', async () => {
    const { port } = await startExample(KeyValueModule);
    const board = await boardAt({ port });
    expect(await board.score('ada')).toBe(1);
    expect(await board.score('ada')).toBe(2);
    expect(await board.scores(['ada', 'grace'])).toEqual([2, 0]);
  });

  it('asks for many scores on one connection, and none is mistaken for another', async () => {
    const { port, server } = await startExample(KeyValueModule);
    const board = await boardAt({ port });
    const players = Array.from({ length: 50 }, (_, number) => `player ${number}`);
    await Promise.all(
      players.flatMap((player, index) =>
        Array.from({ length: index % 3 }, () => board.score(player)),
      ),
    );
    expect(await board.scores(players)).toEqual(players.map((_, index) => index % 3));
    expect(server.stats().connections.accepted).toBe(1);
  });

  it('says what the service has against a request', async () => {
    const { port, connect } = await startExample(KeyValueModule);
    const vandal = await connect();
    vandal.send('SET "score of ada" many\r\n');
    await vandal.line();
    await expect((await boardAt({ port })).score('ada')).rejects.toThrow(
      'The key-value service said: -ERR the value is no whole number',
    );
  });

  it('says that the service is away', async () => {
    const port = await freePort();
    await expect((await boardAt({ port })).score('ada')).rejects.toMatchObject({
      code: 'ERR_LINE_CONNECT',
      message: `Cannot connect to port ${port} of 127.0.0.1: nothing listens there (ECONNREFUSED).`,
    });
  });

  it('waits for no reply longer than it may', async () => {
    const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as { port: number };
    const board = await boardAt({ port, requestTimeoutMs: 20 });
    await expect(board.score('ada')).rejects.toMatchObject({ code: 'ERR_LINE_TIMEOUT' });
  });
});
