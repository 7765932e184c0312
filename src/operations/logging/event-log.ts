/**
 * EventLog: what happens on the line server, said in the log. The transport does not log; this listens to it.
 */
import { inspect } from 'node:util';
import { Inject, Injectable, Optional } from '@nestjs/common';
import {
  type EndReason,
  type LineConnection,
  LineServer,
  type Peer,
  type RefusalReason,
} from '../../line-transport/index.js';
import { type Settings, settings } from '../config/settings.js';
import { escapeControls, quoted } from './escape.js';
import { LineBudget } from './line-budget.js';
import { LOG, type Log } from './log.js';
import { LOG_MESSAGES, type LogMessages } from './log-messages.js';
import { ServiceLines } from './service-lines.js';
import { WORKER } from './worker.js';

/** Says what a reply is, for the line that logs it (`waktu '06:14:20'`); `undefined` leaves it to the log. */
export type DescribeReply = (reply: string, locale: Settings['LOCALE']) => string | undefined;

/** The injection token of a {@link DescribeReply}. */
export const DESCRIBE_REPLY = Symbol('describe reply');

type Level = 'debug' | 'info' | 'warn' | 'error';
type Event = keyof LogMessages;
/** A client has a number once it is served. */
type Client = Peer & { readonly id?: number };

/** How each end of a conversation is told. */
const ENDS = {
  quit: ['info', 'quit'],
  refused: ['warn', 'clientRefused'],
  client: ['warn', 'closedByClient'],
  idle: ['warn', 'idleTimeout'],
  lineTimeout: ['warn', 'lineTimeout'],
  writeTimeout: ['warn', 'writeTimeout'],
  tooManyErrors: ['warn', 'tooManyErrors'],
  shutdown: ['info', 'closedByShutdown'],
  reset: ['error', 'connectionReset'],
  error: ['error', 'connectionFailed'],
} as const satisfies Record<EndReason, readonly [Level, Event]>;

/** How each refusal of a connection is told. A probe is no reason to look up: a proxy may send one every other second. */
const REFUSALS = {
  maxConnections: ['warn', 'connectionRefused'],
  maxConnectionsPerAddress: ['warn', 'addressRefused'],
  tlsHandshake: ['warn', 'tlsHandshakeFailed'],
  addressDenied: ['warn', 'addressDenied'],
  proxyUntrusted: ['warn', 'proxyUntrusted'],
  proxyHeader: ['warn', 'proxyHeaderFailed'],
  proxyProbe: ['debug', 'proxyProbe'],
} as const satisfies Record<RefusalReason, readonly [Level, Event]>;

@Injectable()
export class EventLog {
  readonly #messages: LogMessages;
  /** What the lines of each client may fill of the log; `undefined` is no limit. */
  readonly #budget: LineBudget<LineConnection> | undefined;

  constructor(
    private readonly server: LineServer,
    @Inject(LOG) private readonly log: Log,
    @Inject(settings.KEY) private readonly given: Settings,
    @Inject(DESCRIBE_REPLY) private readonly describeReply: DescribeReply,
    @Optional() @Inject(WORKER) worker?: number,
  ) {
    this.#messages = LOG_MESSAGES[given.LOCALE];
    this.#budget = given.LOG_CLIENT_RATE === 0 ? undefined : this.#budgetOf(given.LOG_CLIENT_RATE);
    if (worker === undefined) this.#followService();
    this.#followServer();
    this.#followConversations();
    if (given.LOG_REQUESTS && log.isLevelEnabled('info')) this.#followRequests();
  }

  /** Of a service of several processes, the primary tells when it begins and ends. */
  #followService(): void {
    const { server } = this;
    const lines = new ServiceLines(this.log, this.#messages);
    server.on('listening', (address) => lines.listening(address));
    server.on('draining', (open) => lines.leaving(open));
    server.on('closed', (cut) => lines.left(cut));
  }

  #followServer(): void {
    const { server } = this;
    const messages = this.#messages;
    server.on('refused', (peer, reason) => {
      const [level, event] = REFUSALS[reason];
      this.#tell(level, event, peer, (client) => messages[event](client));
    });
    server.on('strained', (isStrained, bufferedBytes) => {
      const [level, event] = isStrained
        ? (['warn', 'strained'] as const)
        : (['info', 'relieved'] as const);
      this.#say(level, event, { bufferedBytes }, messages[event](bufferedBytes));
    });
    server.on('error', (error) =>
      this.#say('error', 'serverFailed', {}, messages.serverFailed(summary(error))),
    );
  }

  #followConversations(): void {
    const { server } = this;
    const messages = this.#messages;
    server.on('connection', (connection) => {
      this.#tell('info', 'connectionAccepted', connection, (client) =>
        messages.connectionAccepted(client),
      );
      this.#tell('info', 'conversationStarted', connection, (client) =>
        messages.conversationStarted(client),
      );
    });
    server.on('protocolError', (connection, error) =>
      this.#tellOfLine('warn', error, connection, (client) => messages[error](client)),
    );
    server.on('handlerError', (connection, line, error) => {
      this.#tell('error', 'handlerFailed', connection, (client) =>
        messages.handlerFailed(client, quoted(line), stackOf(error)),
      );
    });
    server.on('rejected', (connection, line, error) => {
      this.#tellOfLine('warn', 'lineRejected', connection, (client) =>
        messages.lineRejected(client, quoted(line), summary(error)),
      );
    });
    server.on('disconnection', (connection, reason, error) => {
      const [level, event] = ENDS[reason];
      this.#budget?.close(connection);
      this.#tell(
        level,
        event,
        connection,
        (client) => messages[event](client, error === undefined ? '' : summary(error)), // most ends have no error to describe
      );
      this.#tell('info', 'conversationOver', connection, (client) =>
        messages.conversationOver(client),
      );
    });
  }

  #followRequests(): void {
    const { server } = this;
    const messages = this.#messages;
    server.on('request', (connection, line) => {
      this.#tellOfLine('info', 'lineReceived', connection, (client) =>
        messages.lineReceived(client, quoted(line)),
      );
    });
    server.on('reply', (connection, line) => {
      this.#tellOfLine('info', 'replySent', connection, (client) =>
        messages.replySent(
          client,
          this.describeReply(line, this.given.LOCALE) ?? messages.reply(quoted(line)),
        ),
      );
    });
  }

  #budgetOf(rate: number): LineBudget<LineConnection> {
    return new LineBudget(rate, (connection, count) => {
      const message = this.#messages.linesOmitted(nameOf(connection), count);
      this.#say('warn', 'linesOmitted', { ...fieldsOf(connection), count }, message);
    });
  }

  /** Says what one line of a client has caused, if it has not caused too much. */
  #tellOfLine(
    level: Level,
    event: Event,
    connection: LineConnection,
    message: (client: string) => string,
  ): void {
    if (!this.log.isLevelEnabled(level)) return;
    if (this.#budget === undefined) this.#tell(level, event, connection, message);
    else this.#budget.spend(connection, () => this.#tell(level, event, connection, message));
  }

  /**
   * Says what happened to one client, if its level is logged at all.
   * @returns the length of what was said
   */
  #tell(level: Level, event: Event, client: Client, message: (client: string) => string): number {
    if (!this.log.isLevelEnabled(level)) return 0;
    const said = message(nameOf(client));
    this.#say(level, event, fieldsOf(client), said);
    return said.length;
  }

  #say(level: Level, event: Event, fields: object, message: string): void {
    this.log[level]({ event, ...fields }, message);
  }
}

/** A client's name in the log, as Python writes an address. */
function nameOf({ remoteAddress = '-', remotePort = 0 }: Peer): string {
  return `('${remoteAddress}', ${remotePort})`;
}

function fieldsOf({ remoteAddress, remotePort, id: connectionId }: Client): object {
  return { remoteAddress, remotePort, connectionId };
}

function summary(error: unknown): string {
  return escapeControls(error instanceof Error ? error.message : inspect(error));
}

/** Where it was thrown, on one line. */
function stackOf(error: unknown): string {
  return error instanceof Error ? escapeControls(error.stack ?? error.message) : summary(error);
}
