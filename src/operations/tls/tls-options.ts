/**
 * The token of the line server's TLS options: there only where TLS is set, while whoever asks for them is always there.
 */
export const TLS_OPTIONS = Symbol('tls options');
