/**
 * LineContext: what a handler, guard, pipe, interceptor or filter may know of the line it serves and of the client
 * who sent it (`@Ctx()`, `host.switchToRpc().getContext()`).
 */
import { BaseRpcContext } from '@nestjs/microservices';
import type { LineConnection } from './line-connection.js';

export class LineContext extends BaseRpcContext<[line: string, connection: LineConnection]> {
  constructor(
    line: string,
    connection: LineConnection,
    private readonly pattern: string,
  ) {
    super([line, connection]);
  }

  /** The whole line, without the blanks around it. */
  get line(): string {
    return this.args[0];
  }

  /** The connection it came on. */
  get connection(): LineConnection {
    return this.args[1];
  }

  /** The pattern of the handler that serves it; Nest's observability reads it. */
  getPattern(): string {
    return this.pattern;
  }
}
