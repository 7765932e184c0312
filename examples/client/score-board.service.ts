/**
 * ScoreBoard: keeps scores in the key-value service, in the words of its protocol. Knows nothing of connections.
 */
import { Inject, Injectable } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';

/** The injection token of the client that a {@link ScoreBoard} asks with. */
export const KEY_VALUE = Symbol('key-value service');

@Injectable()
export class ScoreBoard {
  constructor(@Inject(KEY_VALUE) private readonly service: ClientProxy) {}

  /** One more point; the new score. */
  async score(player: string): Promise<number> {
    return Number(await this.#ask('INCR', keyOf(player)));
  }

  /** The scores of all these players: as many requests on one connection, none of which waits for another's reply. */
  scores(players: readonly string[]): Promise<number[]> {
    return Promise.all(
      players.map(async (player) => Number((await this.#ask('GET', keyOf(player))) ?? 0)),
    );
  }

  /**
   * What the service replies, without the character that says of what kind it is; `undefined` for nothing.
   * @throws {LineError} `ERR_LINE_CONNECT`, `ERR_LINE_TIMEOUT`, … if no reply comes
   * @throws {Error} if the reply is an error line
   */
  async #ask(command: string, ...words: string[]): Promise<string | undefined> {
    const request = this.service.send<string>(command, words);
    const reply = await firstValueFrom(request);
    if (reply.startsWith('-')) throw new Error(`The key-value service said: ${reply}`);
    return reply === '$-1' ? undefined : reply.slice(1);
  }
}

function keyOf(player: string): string {
  return `score of ${player}`;
}
