/**
 * How long the present turn of the event loop has been at work on lines, whosever they are: a crowd of clients that send without
 * end shares one turn, so that those who ask once are not kept waiting.
 */
// Node's own, also where a test has put others in their place: a turn that is never ended would be over for ever.
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';

/** Milliseconds after which who has had a slice waits for the next turn. */
const TURN_MS = 2;
/** Milliseconds after which everyone does. A slice that is cut in two costs another write, which costs more than its lines. */
const LONG_TURN_MS = 8;
/** The lines of a slice. */
const SLICE_LINES = 256;
/** Lines that are few, as long as none of them takes its time: for so few a turn of their own is not worth its cost. */
const FEW_LINES = 32;

/** When the present slice was first looked at, and when the present turn was. */
let sliceBegan = 0;
let began: number | undefined;

/**
 * Whether others are to have their turn. To be asked after the first line and then every few lines: it looks at the clock.
 * @param served lines that were served for the same client since others had theirs
 */
export function isTurnOver(served: number): boolean {
  const now = performance.now();
  if (served === 1) sliceBegan = now;
  if (served < FEW_LINES) return now - sliceBegan >= LONG_TURN_MS;
  if (began !== undefined) return now - began >= (served < SLICE_LINES ? LONG_TURN_MS : TURN_MS);
  began = now;
  setImmediate(endTurn);
  return false;
}

function endTurn(): void {
  began = undefined;
}
