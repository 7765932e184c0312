/** Every input of the fuzzer's corpus, what it has found included, played as the fuzzer does. */
import { fileURLToPath } from 'node:url';
import { afterAll, describe, it } from 'vitest';
import { closeServers } from '../../fuzz/commands.js';
import { readCorpus } from '../../fuzz/corpus.js';
import { play } from '../../fuzz/target.js';

const CORPUS = fileURLToPath(new URL('../../fuzz/corpus/', import.meta.url));

describe('A client is answered as the model says, however its bytes are cut, in the input', () => {
  afterAll(closeServers);

  it.each(readCorpus(CORPUS))('$name', async ({ input }) => {
    await play(input);
  });
});
