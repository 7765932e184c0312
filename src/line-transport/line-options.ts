/**
 * The options of a line server, with their units, defaults and bounds. Checked once, when the server is made.
 */
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { ENGLISH, type LineWords } from './line-errors.js';
import { noteFaults } from './line-option-faults.js';
import { OptionFaults } from './option-faults.js';
import { sureWords } from './sure-words.js';

/** The injection token of a server's options. */
export const LINE_SERVER_OPTIONS = Symbol('line server options');

/**
 * Called when the server is to listen, with what takes a socket in; each is treated as if it had come to a port of the server's
 * own, and must not have been read from. Its `highWaterMark` stays what it is: `stream.setDefaultHighWaterMark(false, maxUnreadBytes)`
 * before it is made gives it the one that sockets of a port have.
 *
 * @returns the address that clients connect to
 */
export type Acceptor = (take: (socket: Socket) => void) => Promise<AddressInfo | string>;

/** Where to listen and within which bounds to serve. Every option has a default. */
export interface LineServerOptions {
  /** Address or name to bind. Default: every IPv4 and IPv6 interface. */
  readonly host?: string | undefined;
  /** TCP port, 0–65535; 0 takes any free port. Default 0. */
  readonly port?: number | undefined;
  /** Path of a Unix domain socket, instead of host and port. Default: none. */
  readonly path?: string | undefined;
  /**
   * Descriptor of a socket that listens already, opened by whoever started the process, instead of host, port and path; in a worker of
   * node:cluster, a descriptor of the primary. Default: none.
   */
  readonly fd?: number | undefined;
  /**
   * Brings the sockets that another process accepts, instead of host, port, path and fd. Default: none; the server listens itself.
   */
  readonly acceptor?: Acceptor | undefined;
  /** Connections the kernel keeps waiting for accept, 1–65535. Default 1024; the kernel may cap it (somaxconn). */
  readonly backlog?: number | undefined;
  /** The longest line accepted, in bytes without its line end, 1–1,048,576. Default 1024. */
  readonly maxLineBytes?: number | undefined;
  /**
   * The most conversations at once, 1–1,000,000; one more client is told so and closed. Default 10,000. Where the system lets the
   * process open fewer files than that needs, it is lowered when the server begins to listen, with a warning.
   */
  readonly maxConnections?: number | undefined;
  /**
   * The most conversations at once with one address, 1–1,000,000; one more of its clients is told so and closed. An IPv6 address
   * counts with its /64, which is what one site has (RFC 6177). Default 95 % of `maxConnections`, so that nobody can shut all others
   * out; behind a proxy, which has one address for all, as many as that may open.
   */
  readonly maxConnectionsPerAddress?: number | undefined;
  /**
   * Who may come: addresses, and ranges of them in CIDR notation, `10.0.0.0/8`. Others are closed at once and told nothing. Clients of a
   * Unix domain socket have no address, and may always. Default: everybody.
   */
  readonly allowAddresses?: readonly string[] | undefined;
  /** Who may not come, even if `allowAddresses` says so; written and treated in the same way. Default: nobody. */
  readonly denyAddresses?: readonly string[] | undefined;
  /**
   * Proxies that tell whose each connection is: addresses and ranges, as above. If there are any, every connection has to begin with a
   * PROXY header of version 1 or 2, and the client's addresses are those in it, for limits, lists, handlers and events. A connection from
   * elsewhere is closed at once; whoever may open a Unix domain socket is trusted. With TLS the header comes first.
   * Default: none, and no header is understood.
   * @see https://www.haproxy.org/download/2.6/doc/proxy-protocol.txt
   */
  readonly proxyProtocolTrust?: readonly string[] | undefined;
  /** Milliseconds in which a PROXY header has to be complete, 1–600,000. Default 3,000, which leaves room for a packet that is lost. */
  readonly proxyHeaderTimeoutMs?: number | undefined;
  /**
   * Input of one client that may wait for its answers, in bytes, 1,024–1,073,741,824; while there is more, no more is read of it.
   * Default 65,536.
   */
  readonly maxPendingBytes?: number | undefined;
  /**
   * Replies that one client has not read, in bytes, 1,024–1,073,741,824, beyond what the kernel keeps; while there are more, nothing
   * more is answered to it. Default 65,536.
   */
  readonly maxUnreadBytes?: number | undefined;
  /**
   * What the server keeps for all its clients, in bytes, 65,536–1,099,511,627,776: their waiting input and their unread replies.
   * While there is more, nothing is read of those for whom it keeps more than their share. Default 268,435,456 (256 MiB).
   */
  readonly maxBufferedBytes?: number | undefined;
  /**
   * Replies that an Observable may be ahead of its client, 1–100,000,000; with one more it is let go of, and the client is told
   * `serverError`. Default 1,000,000. An AsyncIterable is never ahead.
   */
  readonly maxEmittedReplies?: number | undefined;
  /**
   * Lines in a row that the protocol does not allow, 0–1,000,000; with the last of them the client is told `tooManyErrors`, and the
   * conversation ends. Default 0: no end.
   */
  readonly maxProtocolErrors?: number | undefined;
  /**
   * Milliseconds after which an unfinished line that spells a known command is answered, for clients that send no
   * line end; 0–60,000. Default 0: never.
   */
  readonly lineGraceMs?: number | undefined;
  /**
   * Milliseconds that a line may take from its first byte to its end before its connection is closed, however many bytes keep coming;
   * 0–86,400,000, 0 is for ever. Default 60,000. While the server does not read, time stands still.
   */
  readonly lineTimeoutMs?: number | undefined;
  /**
   * Milliseconds in which a client takes nothing of what it is told before its connection is cut; 0–86,400,000, 0 is for ever.
   * Default 60,000.
   */
  readonly writeTimeoutMs?: number | undefined;
  /** Milliseconds a connection may be silent before it is closed, 0–86,400,000; 0 is for ever. Default 600,000. */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * Milliseconds of silence after which the system asks whether the client is still there, and then ten times a second apart; whoever
   * answers none of it has vanished, and its connection fails (ETIMEDOUT). 0–32,767,000, in whole seconds: what is between is rounded
   * up; 0 does not ask. Default 60,000. Less keeps a NAT from forgetting its clients; more, or none, spares those who are out of
   * reach for longer than ten seconds now and then.
   */
  readonly keepAliveMs?: number | undefined;
  /**
   * Milliseconds until a handler's first reply is too late: the client is told `handlerTimeout`, the next line is served, and
   * what the handler answers later is dropped; 0–86,400,000, 0 is never. Default 30,000. `@Command(…, { timeoutMs })` has its own.
   */
  readonly handlerTimeoutMs?: number | undefined;
  /** Milliseconds that answers may take to be finished and delivered on close, 0–600,000. Default 10,000. */
  readonly shutdownGraceMs?: number | undefined;
  /**
   * How lines reach their methods: `'auto'` calls one directly to which nothing is attached, and others through Nest's pipeline;
   * `'pipeline'` always takes the latter. Clients see no difference. Default `'auto'`.
   */
  readonly dispatch?: 'auto' | 'pipeline' | undefined;
  /** Whether a command may be sent in any case; in ASCII only. Default false. */
  readonly ignoreCase?: boolean | undefined;
  /** Said to every client that has connected, before its first line is served. Default: nothing. */
  readonly greeting?: string | readonly string[] | undefined;
  /**
   * Speaks TLS, with these options of `tls.createServer`: `{ key, cert }` at the least; with `requestCert` and `ca` clients have
   * to show certificates. Ten seconds to shake hands unless `handshakeTimeout` says otherwise. Default: plain TCP.
   */
  readonly tls?: TlsOptions | undefined;
  /** The words of the error lines. Default: English. */
  readonly words?: LineWords | undefined;
}

/** The options a server runs with: every bound has its value. */
export type ResolvedLineServerOptions = Pick<
  LineServerOptions,
  | 'host'
  | 'path'
  | 'fd'
  | 'acceptor'
  | 'allowAddresses'
  | 'denyAddresses'
  | 'proxyProtocolTrust'
  | 'greeting'
  | 'tls'
> & {
  readonly [Name in NumericOption]: number;
} & {
  readonly dispatch: 'auto' | 'pipeline';
  readonly ignoreCase: boolean;
  readonly words: LineWords;
};

type NumericOption = keyof typeof LINE_OPTION_BOUNDS;

/** Default and bounds of every numeric option. */
export const LINE_OPTION_BOUNDS = {
  port: { default: 0, min: 0, max: 65_535 },
  backlog: { default: 1024, min: 1, max: 65_535 },
  maxLineBytes: { default: 1024, min: 1, max: 1_048_576 },
  maxConnections: { default: 10_000, min: 1, max: 1_000_000 },
  /** The default is a part of `maxConnections`: {@link connectionsPerAddress}. */
  maxConnectionsPerAddress: { default: 9_500, min: 1, max: 1_000_000 },
  proxyHeaderTimeoutMs: { default: 3_000, min: 1, max: 600_000 },
  maxPendingBytes: { default: 65_536, min: 1_024, max: 1_073_741_824 },
  maxUnreadBytes: { default: 65_536, min: 1_024, max: 1_073_741_824 },
  maxBufferedBytes: { default: 268_435_456, min: 65_536, max: 1_099_511_627_776 },
  maxEmittedReplies: { default: 1_000_000, min: 1, max: 100_000_000 },
  maxProtocolErrors: { default: 0, min: 0, max: 1_000_000 },
  lineGraceMs: { default: 0, min: 0, max: 60_000 },
  lineTimeoutMs: { default: 60_000, min: 0, max: 86_400_000 },
  writeTimeoutMs: { default: 60_000, min: 0, max: 86_400_000 },
  idleTimeoutMs: { default: 600_000, min: 0, max: 86_400_000 },
  keepAliveMs: { default: 60_000, min: 0, max: 32_767_000 }, // Linux takes no more seconds than that
  handlerTimeoutMs: { default: 30_000, min: 0, max: 86_400_000 },
  shutdownGraceMs: { default: 10_000, min: 0, max: 600_000 },
} as const;

/** The most conversations with one address, where nothing else is said. */
export function connectionsPerAddress(maxConnections: number): number {
  return Math.ceil(maxConnections * 0.95);
}

/**
 * Fills in the defaults.
 * @throws {LineError} `ERR_LINE_OPTIONS` that names every option out of its bounds and every unknown one
 */
export function resolveLineOptions(options: LineServerOptions): ResolvedLineServerOptions {
  const faults = new OptionFaults();
  const bounded = (name: NumericOption): number => {
    const bounds = LINE_OPTION_BOUNDS[name];
    return faults.wholeNumber(name, options[name] ?? bounds.default, bounds);
  };
  const maxConnections = bounded('maxConnections');
  const resolved = {
    host: options.host,
    port: bounded('port'),
    path: options.path,
    fd: options.fd,
    acceptor: options.acceptor,
    backlog: bounded('backlog'),
    maxLineBytes: bounded('maxLineBytes'),
    maxConnections,
    maxConnectionsPerAddress:
      options.maxConnectionsPerAddress === undefined
        ? connectionsPerAddress(maxConnections)
        : bounded('maxConnectionsPerAddress'),
    allowAddresses: options.allowAddresses,
    denyAddresses: options.denyAddresses,
    proxyProtocolTrust: options.proxyProtocolTrust,
    proxyHeaderTimeoutMs: bounded('proxyHeaderTimeoutMs'),
    maxPendingBytes: bounded('maxPendingBytes'),
    maxUnreadBytes: bounded('maxUnreadBytes'),
    maxBufferedBytes: bounded('maxBufferedBytes'),
    maxEmittedReplies: bounded('maxEmittedReplies'),
    maxProtocolErrors: bounded('maxProtocolErrors'),
    lineGraceMs: bounded('lineGraceMs'),
    lineTimeoutMs: bounded('lineTimeoutMs'),
    writeTimeoutMs: bounded('writeTimeoutMs'),
    idleTimeoutMs: bounded('idleTimeoutMs'),
    keepAliveMs: bounded('keepAliveMs'),
    handlerTimeoutMs: bounded('handlerTimeoutMs'),
    shutdownGraceMs: bounded('shutdownGraceMs'),
    dispatch: options.dispatch ?? 'auto',
    ignoreCase: options.ignoreCase ?? false,
    greeting: options.greeting,
    tls: options.tls,
    words: options.words === undefined ? ENGLISH : options.words,
  };
  faults.unknownNames(options, resolved);
  noteFaults(options, resolved, faults);
  faults.throwIfAny('The line server');
  return options.words === undefined ? resolved : { ...resolved, words: sureWords(options.words) };
}
