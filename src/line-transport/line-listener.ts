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
import {
  createServer as createTlsServer,
  type Server as TlsServer,
  type TlsOptions,
} from 'node:tls';
import { takeBacklog } from './backlog.js';
import { type AdmissionOptions, LineAdmission, type LineHost } from './line-admission.js';
import { LineError } from './line-errors.js';
import type { Acceptor, ResolvedLineServerOptions } from './line-options.js';
import { closedEarly, localProxy, tlsRefusal } from './line-server-errors.js';

/** How long a client may take to agree on TLS, unless the options say otherwise. */
const HANDSHAKE_MS = 10_000;

/** How to listen, and who may come in. */
export type ListenerOptions = AdmissionOptions &
  Pick<ResolvedLineServerOptions, 'backlog' | 'maxUnreadBytes' | 'tls'>;

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
  #isClosed = false;

  constructor(
    private readonly host: LineHost,
    private readonly options: ListenerOptions,
  ) {
    const sockets: ServerOpts = {
      allowHalfOpen: true,
      noDelay: true,
      highWaterMark: options.maxUnreadBytes,
    };
    const { tls } = options;
    if (tls !== undefined) this.#tls = createSecured({ ...tls, ...sockets });
    this.server = this.#tls ?? createServer(sockets);
    this.#admission = new LineAdmission(host, options, this.#tls);
    this.server.on('connection', (socket) => this.#enter(socket));
  }

  /** From now on no more than so many sockets that are on their way and have no place. */
  lower(spare: number): void {
    this.#admission.lower(spare);
  }

  /**
   * @throws the system's error, if it cannot listen there; `ERR_LINE_LISTEN`, if it is closed first, and for a Unix domain socket over
   *   which proxies are to bring clients with TLS: nothing would tell one client from another
   */
  async listen(place: Place): Promise<AddressInfo | string> {
    try {
      return this.#begin(await this.#bind(place));
    } catch (error) {
      this.server.close();
      throw error;
    }
  }

  #bind(place: Place): Promise<AddressInfo | string> {
    const { server } = this;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('close', () => reject(closedEarly())); // while the host's name was looked up
      server.listen({ ...place, backlog: this.options.backlog }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.host.onError(error));
        resolve(server.address() ?? ('fd' in place ? `fd ${place.fd}` : ''));
      });
    });
  }

  /** Listens by way of another process, which accepts. */
  async takeFrom(acceptor: Acceptor): Promise<AddressInfo | string> {
    return this.#begin(await acceptor((socket) => this.#take(socket)));
  }

  /** It is known where clients come from. */
  #begin(address: AddressInfo | string): AddressInfo | string {
    const isLocal = typeof address === 'string';
    this.#admission.isLocal = isLocal;
    const isProxied = this.options.proxyProtocolTrust !== undefined;
    if (isLocal && isProxied && this.#tls !== undefined) throw localProxy();
    return address;
  }

  /** Agrees on TLS with these from now on; those who have agreed go on as they are. */
  setTls(options: TlsOptions): void {
    this.#tls?.setSecureContext(options);
  }

  /** Takes in who has come already, then nobody more; resolves when every socket is closed. */
  async close(): Promise<void> {
    const [arrived, isCut] = [() => this.#arrived, () => this.#admission.isCut];
    await takeBacklog(this.options.backlog, arrived, isCut); // an acceptor's clients may also be about to say who they are
    this.#isClosed = true;
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

  #enter(socket: Socket): void {
    this.#arrived++;
    this.#admission.enter(socket);
  }

  /** What a server does itself with a socket that it accepts. */
  #take(socket: Socket): void {
    if (this.#isClosed) socket.destroy();
    if (socket.destroyed) return; // its 'close' may be over
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    this.#taken.add(socket);
    socket.once('close', () => this.#taken.delete(socket));
    this.#enter(socket);
  }
}

/** @throws `ERR_LINE_LISTEN` for options that Node does not take */
function createSecured(options: TlsOptions): TlsServer {
  const { handshakeTimeout = HANDSHAKE_MS } = options;
  try {
    return createTlsServer({ ...options, handshakeTimeout });
  } catch (error) {
    throw new LineError('ERR_LINE_LISTEN', tlsRefusal(error), { cause: error });
  }
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
  });
}
