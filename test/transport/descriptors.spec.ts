/** A server within the files that the system lets its process have open. */
import { Logger } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { LineServer } from '../../src/line-transport/index.js';
import { allowedFiles, allowFiles } from '../support/open-files.js';
import { missing } from '../support/programs.js';

describe.skipIf(missing('prlimit'))('The most conversations of a server', () => {
  it('are as many as there are descriptors for each time it begins to listen', async () => {
    Logger.overrideLogger(false); // it warns
    const before = allowedFiles(process.pid);
    const server = new LineServer({ host: '127.0.0.1', maxConnections: 1_000 });
    try {
      const most: number[] = [];
      for (const files of [before, 512, before]) {
        allowFiles(process.pid, files);
        await new Promise((resolve) => {
          server.listen(resolve);
        });
        most.push(server.stats().connections.max);
        await server.close();
      }
      expect(most).toEqual([1_000, expect.any(Number), 1_000]);
      expect(most[1]).toBeLessThan(512);
    } finally {
      allowFiles(process.pid, before);
    }
  });
});
