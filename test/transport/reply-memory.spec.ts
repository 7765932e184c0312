/** What has been said is let go of: a text may be a small part of a huge one, which V8 keeps as long as the part. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Controller } from '@nestjs/common';
import { expect, it, vi } from 'vitest';
import { Command, type LineReply } from '../../src/line-transport/index.js';
import { startLineApplication } from '../support/line-application.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const HUGE = 64 * 1_048_576;

@Controller()
class PartController {
  @Command('PART')
  part(): LineReply {
    const page = Buffer.alloc(HUGE, 'x').toString('latin1');
    return page.slice(0, 100);
  }
}

function heapUsed(): number {
  collectGarbage();
  const { used_heap_size: used, external_memory: external } = getHeapStatistics();
  return used + external;
}

it('The text that a reply was cut out of is not kept, whether its client stays or leaves', async () => {
  const { connect } = await startLineApplication([PartController]);
  const client = await connect();
  const before = heapUsed();
  client.send('PART\n');
  expect(await client.line()).toBe('x'.repeat(100));
  await vi.waitUntil(() => heapUsed() < before + HUGE / 2, { timeout: 5_000, interval: 50 });
  client.send('PART\n');
  expect(await client.line()).toBe('x'.repeat(100));
  client.end();
  await vi.waitUntil(() => heapUsed() < before + HUGE / 2, { timeout: 5_000, interval: 50 });
});
