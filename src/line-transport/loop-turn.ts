/**
 * How long the present turn of the event loop has been at work on lines, whosever they are: a crowd of clients that send without
 * end shares one turn, so that those who ask once are not kept waiting.
 */

/** Milliseconds. */
const TURN_MS = 2;

let began: number | undefined;

/** Whether the turn is over for who has more to do. To be asked every few lines: it looks at the clock. */
export function isTurnOver(): boolean {
  const now = performance.now();
  if (began !== undefined) return now - began >= TURN_MS;
  began = now;
  setImmediate(endTurn);
  return false;
}

function endTurn(): void {
  began = undefined;
}
