/**
 * The token that tells the log that several processes write into it, and which one this is. Where there is one, nothing is provided.
 */

/** The injection token of the number of this worker. */
export const WORKER = Symbol('worker');
