/** The line transport's door: what other code imports, and all it imports. */
export { isAddressRange } from './address-list.js';
export { Arg, type ArgPipe, Args, RawLine } from './arg.decorator.js';
export { takeBacklog } from './backlog.js';
export {
  Command,
  type CommandArguments,
  type CommandOptions,
  LINE_TRANSPORT,
  type LineHandlerDecorator,
  UnknownCommand,
} from './command.decorator.js';
export {
  type ConnectHook,
  type DisconnectHook,
  OnConnect,
  OnDisconnect,
} from './connection-hooks.js';
export { roomForSockets, type SocketRoom } from './descriptors.js';
export { LineClient, type LineClientEvents, type LineClientStatus } from './line-client.js';
export {
  type IsLastLine,
  LINE_CLIENT_OPTION_BOUNDS,
  type LineClientOptions,
} from './line-client-options.js';
export type { LineConnection } from './line-connection.js';
export { LineContext } from './line-context.js';
export {
  ClosingException,
  ENGLISH,
  enumerate,
  LineError,
  type LineErrorCode,
  type LineWords,
  type ProtocolError,
} from './line-errors.js';
export type {
  Answered,
  Dispatch,
  EndReason,
  LineServerEvents,
  LineServerStats,
  LineServerStatus,
  Outcome,
  PauseReason,
  RefusalReason,
  ServedCommand,
} from './line-events.js';
export {
  type Acceptor,
  LINE_OPTION_BOUNDS,
  LINE_SERVER_OPTIONS,
  type LineServerOptions,
  type ResolvedLineServerOptions,
} from './line-options.js';
export type { Peer, TlsFacts } from './line-peer.js';
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
export { listenError } from './line-server-errors.js';
export { LineTransportModule } from './line-transport.module.js';
export { quoteWord, splitWords } from './quoting.js';
