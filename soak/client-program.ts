/**
 * The program of a {@link ClientProcess}: performs the acts that it is told to, and ends with whoever started it.
 */
import * as v from 'valibot';
import { ACTS } from './acts.js';
import { Request } from './client-process.js';

process.on('message', (message) => {
  void perform(v.parse(Request, message));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function perform({ id, act, port, task }: v.InferOutput<typeof Request>): Promise<void> {
  try {
    const found = ACTS.find(({ name }) => name === act);
    if (found === undefined) throw new Error(`There is no act ${act}.`);
    process.send?.({ id, told: await found.perform(port, task) });
  } catch (error) {
    process.send?.({ id, told: undefined, fault: error instanceof Error ? error.stack : error });
  }
}
