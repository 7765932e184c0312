/**
 * Tells the bench how much memory a Node server takes when everything that can be collected is. Loaded with `--import`, so it works
 * with every server and changes none.
 */
import { setTimeout as sleep } from 'node:timers/promises';

process.on('message', (_asked) => {
  void memory().then((told) => process.send?.(told));
});
process.on('disconnect', () => process.exit());

async function memory(): Promise<{ rss: number; heap: number }> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await sleep(100);
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { rss, heap: heapUsed };
}
