/**
 * The options of a line client, with their units, defaults and bounds. Checked once, when the client is made.
 */
import type { ConnectionOptions } from 'node:tls';
import { OptionFaults } from './option-faults.js';

/**
 * Whether a line is the last of the reply to a request.
 *
 * @param line a line of the reply, without its line end
 * @param index which line of the reply it is, from 0
 * @param request the line that was sent
 */
export type IsLastLine = (line: string, index: number, request: string) => boolean;

/** Where the server is and within which bounds to ask it. Every option has a default, but the port. */
export interface LineClientOptions {
  /** Name or address of the server. Default `localhost`. */
  readonly host?: string | undefined;
  /** TCP port of the server, 1–65,535. No default: it is needed unless `path` is given. */
  readonly port?: number | undefined;
  /** Path of a Unix domain socket, instead of host and port. Default: none. */
  readonly path?: string | undefined;
  /**
   * Whether to speak TLS; as an object, the options of `tls.connect` (`ca`, `cert`, `servername`, …). The server's
   * certificate must be valid for its name unless these say otherwise. Default `false`.
   */
  readonly tls?: boolean | ConnectionOptions | undefined;
  /**
   * Milliseconds from writing a request to the last line of its reply, 0–3,600,000; 0 is for ever. Waiting for the
   * connection is not counted. Default 5000.
   */
  readonly requestTimeoutMs?: number | undefined;
  /** Milliseconds that connecting may take, name lookup and TLS included, 1–600,000. Default 5000. */
  readonly connectTimeoutMs?: number | undefined;
  /** The longest line taken from the server, in bytes without its line end, 1–16,777,216. Default 65,536. */
  readonly maxLineBytes?: number | undefined;
  /** The most requests that wait for replies at once, late ones included, and emitted lines that wait to be taken, 1–1,000,000. Default 10,000. */
  readonly maxPendingRequests?: number | undefined;
  /**
   * Milliseconds before the first attempt to connect again after a loss, 1–600,000. Each further attempt waits twice as
   * long; of every delay a random part, up to a half, is taken off. Default 100.
   */
  readonly reconnectInitialDelayMs?: number | undefined;
  /**
   * The longest such delay, 1–3,600,000, and how long a connection must have lasted for the delays to begin anew.
   * Default 10,000.
   */
  readonly reconnectMaxDelayMs?: number | undefined;
  /**
   * Milliseconds of silence after which the system asks whether the server is still there, so that a request is not the first to find
   * out, 0–32,767,000, in whole seconds; 0 is never. Default 60,000.
   */
  readonly keepAliveMs?: number | undefined;
  /** Tells where a reply of several lines ends. Default: every reply is one line. */
  readonly isLastLine?: IsLastLine | undefined;
}

/** Default and bounds of every numeric option that has a default. */
export const LINE_CLIENT_OPTION_BOUNDS = {
  requestTimeoutMs: { default: 5_000, min: 0, max: 3_600_000 },
  connectTimeoutMs: { default: 5_000, min: 1, max: 600_000 },
  maxLineBytes: { default: 65_536, min: 1, max: 16_777_216 },
  maxPendingRequests: { default: 10_000, min: 1, max: 1_000_000 },
  reconnectInitialDelayMs: { default: 100, min: 1, max: 600_000 },
  reconnectMaxDelayMs: { default: 10_000, min: 1, max: 3_600_000 },
  keepAliveMs: { default: 60_000, min: 0, max: 32_767_000 },
} as const;

type NumericOption = keyof typeof LINE_CLIENT_OPTION_BOUNDS;

/** The options a client runs with. The port is 0 if there is a path. */
export type ResolvedLineClientOptions = Pick<LineClientOptions, 'path'> & {
  readonly [Name in NumericOption]: number;
} & {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean | ConnectionOptions;
  readonly isLastLine: IsLastLine;
};

const PORT_BOUNDS = { min: 1, max: 65_535 };

/**
 * Fills in the defaults.
 * @throws {LineError} `ERR_LINE_OPTIONS` that names every wrong option and every unknown one
 */
export function resolveLineClientOptions(options: LineClientOptions): ResolvedLineClientOptions {
  const faults = new OptionFaults();
  const bounded = (name: NumericOption): number => {
    const bounds = LINE_CLIENT_OPTION_BOUNDS[name];
    return faults.wholeNumber(name, options[name] ?? bounds.default, bounds);
  };
  const resolved = {
    host: options.host ?? 'localhost',
    port: options.port ?? 0,
    path: options.path,
    tls: options.tls ?? false,
    requestTimeoutMs: bounded('requestTimeoutMs'),
    connectTimeoutMs: bounded('connectTimeoutMs'),
    maxLineBytes: bounded('maxLineBytes'),
    maxPendingRequests: bounded('maxPendingRequests'),
    reconnectInitialDelayMs: bounded('reconnectInitialDelayMs'),
    reconnectMaxDelayMs: bounded('reconnectMaxDelayMs'),
    keepAliveMs: bounded('keepAliveMs'),
    isLastLine: options.isLastLine ?? (() => true),
  };
  checkPlace(options, faults);
  checkKinds(resolved, faults);
  if (resolved.reconnectInitialDelayMs > resolved.reconnectMaxDelayMs) {
    faults.add('reconnectInitialDelayMs must not be above reconnectMaxDelayMs');
  }
  faults.unknownNames(options, resolved);
  faults.throwIfAny('The line client');
  return resolved;
}

function checkPlace(options: LineClientOptions, faults: OptionFaults): void {
  const { port, path } = options;
  if (port !== undefined) faults.wholeNumber('port', port, PORT_BOUNDS);
  if (path === undefined && port === undefined) faults.add('port or path must be given');
  faults.twoPlaces(options);
}

/** Options may come from plain JavaScript or a settings file, whatever their types say. */
function checkKinds(resolved: ResolvedLineClientOptions, faults: OptionFaults): void {
  const { host, path, tls, isLastLine } = resolved;
  faults.text('host', host, 'a text that is not empty');
  faults.text('path', path, 'a text that is not empty');
  if (typeof tls !== 'boolean' && (typeof tls !== 'object' || tls === null)) {
    faults.add('tls must be true, false or the options of tls.connect');
  }
  if (typeof isLastLine !== 'function') faults.add('isLastLine must be a function');
}
