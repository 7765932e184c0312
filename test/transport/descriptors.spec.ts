/** A server within the files that the system lets its process have open. */
import { execFileSync } from 'node:child_process';
import { Logger } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { LineServer } from '../../src/line-transport/index.js';
import { missing } from '../support/programs.js';

/** The most files that this process may have open from now on; the hard limit stays. */
function allow(files: number): void {
  execFileSync('prlimit', [`--pid=${process.pid}`, `--nofile=${files}:`]);
}

function softLimit(): number {
  const args = [`--pid=${process.pid}`, '--nofile', '--output=SOFT', '--noheadings', '--raw'];
  return Number(execFileSync('prlimit', args, { encoding: 'utf8' }));
}

describe.skipIf(missing('prlimit'))('The most conversations of a server', () => {
  it('are as many as there are descriptors for each time it begins to listen', async () => {
    Logger.overrideLogger(false); // it warns
    const before = softLimit();
    const server = new LineServer({ host: '127.0.0.1', maxConnections: 1_000 });
    try {
      const most: number[] = [];
      for (const files of [before, 512, before]) {
        allow(files);
        await new Promise((resolve) => {
          server.listen(resolve);
        });
        most.push(server.stats().connections.max);
        await server.close();
      }
      expect(most).toEqual([1_000, expect.any(Number), 1_000]);
      expect(most[1]).toBeLessThan(512);
    } finally {
      allow(before);
    }
  });
});
