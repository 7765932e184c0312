/**
 * LineListener: the door of a server. It listens, takes sockets in, and closes so that nobody who has come already is lost. Knows
 * nothing of who may come in: that is LineAdmission's.
 */
import {
  type AddressInfo,
  createServer,
  type ListenOptions,
  type Server as NetServer,
  type ServerOpts,
  type Socket,
} from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type TlsOptions,
} from 'node:tls';
import { type AdmissionOptions, LineAdmission, type LineHost } from './line-admission.js';
import type { Acceptor, ResolvedLineServerOptions } from './line-options.js';
import { closedEarly, localProxy } from './line-server-errors.js';

/** How long a client may take to agree on TLS, unless the options say otherwise. */
const HANDSHAKE_MS = 10_000;

/** How to listen, and who may come in. */
export type ListenerOptions = AdmissionOptions &
  Pick<ResolvedLineServerOptions, 'backlog' | 'maxUnreadBytes'>;

/** Where to listen: one of them is given. */
export type Place = Pick<ListenOptions, 'host' | 'port' | 'path'> | { readonly fd: number };

export class LineListener {
  readonly server: NetServer;
  readonly #tls: TlsServer | undefined;
  readonly #admission: LineAdmission;
  /** Sockets that another process has accepted: `server` does not wait for those. */
  readonly #taken = new Set<Socket>();
  /** Connections taken from the kernel, whatever became of them. */
  #arrived = 0;

  /** @param tls the options of `tls.createServer`; `undefined` for plain TCP */
  constructor(
    private readonly host: LineHost,
    private readonly options: ListenerOptions,
    tls: TlsOptions | undefined,
  ) {
    const sockets: ServerOpts = {
      allowHalfOpen: true,
      noDelay: true,
      highWaterMark: options.maxUnreadBytes,
    };
    if (tls !== undefined) {
      this.#tls = createTlsServer({ handshakeTimeout: HANDSHAKE_MS, ...tls, ...sockets });
    }
    this.server = this.#tls ?? createServer(sockets);
    this.#admission = new LineAdmission(host, options, this.#tls);
    this.server.on('connection', (socket) => {
      this.#arrived++;
      this.#admission.enter(socket);
    });
  }

  /** From now on no more than so many sockets that are on their way and have no place. */
  lower(spare: number): void {
    this.#admission.lower(spare);
  }

  /**
   * @throws the system's error, if it cannot listen there; `ERR_LINE_LISTEN`, if it is closed first, and for a Unix domain socket over
   *   which proxies are to bring clients with TLS: nothing would tell one client from another
   */
  listen(place: Place): Promise<AddressInfo | string> {
    const { server } = this;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('close', () => reject(closedEarly())); // while the host's name was looked up
      server.listen({ ...place, backlog: this.options.backlog }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.host.onError(error));
        const address = server.address() ?? ('fd' in place ? `fd ${place.fd}` : '');
        const isLocal = typeof address === 'string';
        this.#admission.isLocal = isLocal;
        if (isLocal && this.#tls !== undefined && this.options.proxyProtocolTrust !== undefined) {
          reject(localProxy());
          server.close();
        } else {
          resolve(address);
        }
      });
    });
  }

  /** Listens by way of another process, which accepts. */
  takeFrom(acceptor: Acceptor): Promise<AddressInfo | string> {
    return acceptor((socket) => this.#take(socket));
  }

  /** Agrees on TLS with these from now on; those who have agreed go on as they are. */
  setTls(options: TlsOptions): void {
    this.#tls?.setSecureContext(options);
  }

  /** Takes in who has come already, then nobody more; resolves when every socket is closed. */
  async close(): Promise<void> {
    if (this.server.listening) await this.#takeBacklog();
    this.#admission.cutUnnamed();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
    await Promise.all(Array.from(this.#taken, closed));
  }

  /** Closes at once whatever is no conversation. */
  cut(): void {
    this.#admission.cut();
  }

  /** What a server does itself with a socket that it accepts. */
  #take(socket: Socket): void {
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    this.#taken.add(socket);
    socket.once('close', () => this.#taken.delete(socket));
    this.#admission.enter(socket);
  }

  /**
   * Accepts the connections that the kernel has accepted already: closing would give them a RST, whatever they have sent.
   * Node may take as few as one in a turn of the event loop, so it is asked until a turn brings none, or until it has brought as
   * many as can have been waiting: new clients keep coming meanwhile.
   */
  async #takeBacklog(): Promise<void> {
    const last = this.#arrived + this.options.backlog + 1;
    const admission = this.#admission;
    for (let before = -1; before !== this.#arrived && this.#arrived < last && !admission.isCut;) {
      before = this.#arrived;
      await nextTurn();
      await nextTurn();
    }
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}
