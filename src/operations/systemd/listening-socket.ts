/**
 * The token of the descriptor of a socket that listens already. It is there only where systemd has handed one over, while whoever asks
 * for it is always there.
 */
export const LISTENING_SOCKET = Symbol('listening socket');
