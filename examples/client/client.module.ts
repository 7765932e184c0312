/**
 * ClientModule: the score board, and the client it asks with. Nest closes the client when the application is closed.
 */
import { Module } from '@nestjs/common';
import { ClientsModule } from '@nestjs/microservices';
import { LineClient, type LineClientOptions } from '../../src/line-transport/index.js';
import { KEY_VALUE, ScoreBoard } from './score-board.service.js';

const options: LineClientOptions = {
  port: Number(process.env['PORT'] ?? 45_000),
  requestTimeoutMs: 1_000,
};

@Module({
  imports: [ClientsModule.register([{ name: KEY_VALUE, customClass: LineClient, options }])],
  providers: [ScoreBoard],
})
export class ClientModule {}
