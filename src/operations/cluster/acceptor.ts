/**
 * The token by which a worker's line server is given the clients that the primary has accepted. Loads nothing: it is there in a
 * service of one process, too, which has no such thing.
 */

/** The injection token of an `Acceptor`. */
export const ACCEPTOR = Symbol('acceptor');
