import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fifo } from './fifo.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

describe('A Fifo', () => {
  it('is a queue, whatever is done to it', () => {
    const step = fc.oneof(
      fc.integer({ min: 0, max: 3_000 }),
      fc.constantFrom('shift', 'clear', 'replace'),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const fifo = new Fifo<number>();
        let model: number[] = [];
        for (const each of steps) {
          const [taken, expected]: (number | undefined)[][] = [[], []];
          if (each === 'clear') {
            taken?.push(...fifo.clear());
            expected?.push(...model);
            model = [];
          } else if (each === 'replace') {
            fifo.replaceLast(-1);
            model.splice(-1, 1, ...(model.length > 0 ? [-1] : []));
          } else if (each === 'shift') {
            for (let left = 1_500; left > 0; left--) {
              taken?.push(fifo.shift());
              expected?.push(model.shift());
            }
          } else {
            for (let item = 0; item < each; item++) {
              fifo.push(item);
              model.push(item);
            }
          }
          expect(taken).toEqual(expected);
          expect([fifo.length, fifo.first, fifo.last]).toEqual([
            model.length,
            model[0],
            model.at(-1),
          ]);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('lets go of what was taken while it holds others', async () => {
    const fifo = new Fifo<object>();
    for (let item = 0; item < 10; item++) fifo.push({ item });
    const taken = new WeakRef(fifo.shift() ?? fifo);
    await nextTurn();
    collectGarbage();
    expect(taken.deref()).toBeUndefined();
    expect(fifo.length).toBe(9);
  });

  it('holds what is undefined, too', () => {
    const fifo = new Fifo<undefined>();
    fifo.push(undefined);
    expect(fifo.length).toBe(1);
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.length).toBe(0);
  });
});
