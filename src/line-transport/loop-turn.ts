/**
 * How long the present turn of the event loop has been at work on lines, whosever they are: a crowd of clients that send without
 * end shares one turn, so that those who ask once are not kept waiting.
 */
// Node's own, also where a test has put others in their place: a turn that is never ended would be over for ever.
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers';
import { Fifo } from './fifo.js';

/** Milliseconds of a turn after which nobody begins another slice. */
const TURN_MS = 2;
/** Milliseconds after which a slice is cut short: its lines take their time. */
const SLICE_MS = 8;
/** A slice is not cut before so many quick lines: the write that it then costs is worth dozens of them. */
const SLICE_LINES = 256;
/** The lines of a slice before each of which it is asked; after them only every so many. */
const LINES_PER_LOOK = 32;
/** Input that is served at once, however long the turn has been: for so little another turn is not worth its cost. */
const LITTLE_BYTES = 512;

/** When the present turn was first asked about, and when the slice that was begun last was. */
let began: number | undefined;
let sliceBegan = 0;
/** Whether one of those who wait has had the present turn: one of them has each, also where others have used it up before. */
let isGiven = false;

/** Those who have had a slice, or came too late in a turn to have one: the longest waiting first. */
const waiting = new Fifo<() => void>();

/**
 * Whether others are to have their turn. To be asked before each line.
 * @param served lines that were served for the same client since others had theirs
 * @param pendingBytes input of that client that waits
 */
export function isTurnOver(served: number, pendingBytes: number): boolean {
  if (served === 0) return pendingBytes > LITTLE_BYTES && isLate(performance.now());
  // Handlers may be slow: the first few are looked after more often.
  const isLook = served % LINES_PER_LOOK === 0 || served === 1 || served === 4 || served === 16;
  if (!isLook || pendingBytes === 0) return false;
  const now = performance.now();
  if (served === 1) sliceBegan = now;
  return served < SLICE_LINES ? now - sliceBegan >= SLICE_MS : isLate(now);
}

/** Calls back when it is this one's turn: in another turn of the event loop, behind those who have waited longer. */
export function waitForTurn(take: () => void): void {
  waiting.push(take);
  setImmediate(giveTurn);
}

/** Each in an immediate of its own, so that what it does in promise jobs is over, and counted, before the next. */
function giveTurn(): void {
  const isOver = isLate(performance.now());
  if (isOver && isGiven) {
    setImmediate(giveTurn);
  } else {
    isGiven = true;
    waiting.shift()?.();
  }
}

function isLate(now: number): boolean {
  if (began !== undefined) return now - began >= TURN_MS;
  began = now;
  setImmediate(endTurn);
  return false;
}

function endTurn(): void {
  began = undefined;
  isGiven = false;
}
