/**
 * WorkersError: a service of several processes does not come to serve. Loads nothing: every process knows it.
 */
import { StartError } from '../start-error.js';

/** No worker came to serve. */
export class WorkersError extends StartError {
  override readonly name = 'WorkersError';

  /** @param ends how many have ended in a row */
  constructor(ends: number) {
    super(
      ends === 1
        ? 'The first worker could not serve; it has told why.'
        : `${ends} workers in a row ended before one served.`,
    );
  }
}
