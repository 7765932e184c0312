/** The line transport's door: what other code imports, and all it imports. */
export {
  Command,
  LINE_TRANSPORT,
  type LineHandlerDecorator,
  UnknownCommand,
} from './command.decorator.js';
export { LineClient, type LineClientEvents, type LineClientStatus } from './line-client.js';
export {
  type IsLastLine,
  LINE_CLIENT_OPTION_BOUNDS,
  type LineClientOptions,
} from './line-client-options.js';
export type { LineConnection } from './line-connection.js';
export { LineContext } from './line-context.js';
export {
  ENGLISH,
  enumerate,
  LineError,
  type LineErrorCode,
  type LineWords,
  type ProtocolError,
} from './line-errors.js';
export type {
  EndReason,
  LineServerEvents,
  LineServerStats,
  LineServerStatus,
  Peer,
  RefusalReason,
} from './line-events.js';
export {
  LINE_OPTION_BOUNDS,
  type LineServerOptions,
  type ResolvedLineServerOptions,
} from './line-options.js';
export {
  CLOSE,
  Closing,
  closeWith,
  type LineAnswer,
  type LineReply,
  type LineStream,
} from './line-reply.js';
export type { LineRequestData } from './line-request.js';
export { LineServer } from './line-server.js';
export { LineTransportModule } from './line-transport.module.js';
