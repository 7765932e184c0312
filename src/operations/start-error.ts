/**
 * StartError: the service cannot start, for a reason that its operator can mend. Loads nothing: every process knows it.
 */

/** The message tells an operator all there is to know; a stack trace would add nothing. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}
