/**
 * LineContext: what a handler, guard, pipe, interceptor or filter may know of the line it serves and of the client
 * who sent it (`@Ctx()`, `host.switchToRpc().getContext()`).
 */
import { BaseRpcContext } from '@nestjs/microservices';
import type { RegisteredCommand } from './command-table.js';
import type { LineConnection } from './line-connection.js';

/** Aborts the signal of a line that is being served. For the transport alone. */
export let abort: (context: LineContext, reason: Error) => void;
/** Why the signal of a line is aborted; `undefined` if it is not. For the transport alone. */
export let abortedBy: (context: LineContext) => Error | undefined;
/** What serves a line; `undefined` if nothing does. For the transport alone. */
export let registeredFor: (context: LineContext) => RegisteredCommand | undefined;

/**
 * The line that is being served, and who sent it.
 * @typeParam Session what the application keeps of a client: see {@link LineConnection.session}
 */
export class LineContext<Session extends object = Record<string, unknown>> extends BaseRpcContext<
  [line: string, connection: LineConnection]
> {
  readonly #registered: RegisteredCommand | undefined;
  /** Made only for those who ask for the signal. */
  #controller: AbortController | undefined;
  #aborted: Error | undefined;

  static {
    abort = (context, reason) => {
      context.#aborted ??= reason;
      context.#controller?.abort(reason);
    };
    abortedBy = (context) => context.#aborted;
    registeredFor = (context) => context.#registered;
  }

  constructor(line: string, connection: LineConnection, registered?: RegisteredCommand) {
    super([line, connection]);
    this.#registered = registered;
  }

  /** The whole line, without the blanks around it. */
  get line(): string {
    return this.args[0];
  }

  /** The connection it came on: its `id`, addresses, TLS facts, session; and `push`. */
  get connection(): LineConnection<Session> {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is in a session is the application's word
    return this.args[1] as LineConnection<Session>;
  }

  /** The connection's session. */
  get session(): Partial<Session> {
    return this.connection.session;
  }

  /** The command as it was declared; for a line that is none, the pattern of `@UnknownCommand()`. */
  get command(): string {
    return this.#registered?.name ?? '';
  }

  /**
   * Aborted while the line is served, when its client has gone (`ERR_LINE_CLOSED`) or its handler has taken too long
   * (`ERR_LINE_TIMEOUT`); what the handler answers after that is dropped. An answer does not abort it.
   */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    return this.#controller.signal;
  }

  /** The pattern of the handler that serves it; Nest's observability reads it. */
  getPattern(): string {
    return this.command;
  }
}
