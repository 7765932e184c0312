/** Scores some points, prints them and ends: `npm run example -- client`, beside the key-value example. */
import { NestFactory } from '@nestjs/core';
import { ClientModule } from './client.module.js';
import { ScoreBoard } from './score-board.service.js';

const PLAYERS = ['ada', 'grace', 'edsger'];

const app = await NestFactory.createApplicationContext(ClientModule, { logger: ['error'] });
try {
  const board = app.get(ScoreBoard);
  await Promise.all([board.score('ada'), board.score('grace'), board.score('ada')]);
  const scores = await board.scores(PLAYERS);
  for (const [index, player] of PLAYERS.entries()) console.log(`${player}: ${scores[index]}`);
} catch (error) {
  console.error(`No scores: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await app.close();
}
