/**
 * LineListener: the door of a server. It listens, takes sockets in, and turns away whom the server has no room for. Knows nothing
 * of lines but the one that says so.
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
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { RefusalReason } from './line-events.js';
import { type Peer, SocketPeer } from './line-peer.js';
import { closedEarly } from './line-server-errors.js';
import { LineWriter } from './line-writer.js';

/** How long a refused client may take to read why. */
const REFUSAL_MS = 1_000;
/** Refused clients that are told why at the same time; with one more, the one that has had the longest time for it is cut. */
const MAX_REFUSED = 100;
/** How long a client may take to agree on TLS, unless the options say otherwise. */
const HANDSHAKE_MS = 10_000;
/**
 * By how much a TLS server may have more sockets than conversations: they agree on TLS, or are told within it why they are not
 * served. One more is closed at once, and told nothing.
 */
const HANDSHAKES = 100;

/** Who is behind the door. */
export interface LineHost {
  /** What a client is told whom there is no room for. */
  readonly refusal: string;
  readonly maxConnections: number;
  readonly maxUnreadBytes: number;
  /** Why there is no room for a client with this address; `undefined` if there is. */
  refusalFor(address: string | undefined): RefusalReason | undefined;
  serve(socket: Socket, peer: Peer): void;
  onRefused(peer: Peer, reason: RefusalReason): void;
  /** The listening socket failed after it had begun to listen. */
  onError(error: Error): void;
}

export class LineListener {
  readonly server: NetServer;
  /**
   * Sockets that are cut when the grace is over, as conversations are: their clients are told why they are not served, or agree
   * on TLS. With TLS every client's is here until it closes: nothing public says which one an agreed session goes over.
   */
  readonly #waiting = new Set<Socket>();
  /** Clients that are told why they are not served; the longest first. */
  readonly #refused = new Set<Socket>();
  /** Connections taken from the kernel, whatever became of them. */
  #arrived = 0;
  #isCut = false;

  /**
   * @param backlog the most connections that the kernel keeps waiting
   * @param tls the options of `tls.createServer`; `undefined` for plain TCP
   */
  constructor(
    private readonly host: LineHost,
    private readonly backlog: number,
    tls: TlsOptions | undefined,
  ) {
    const options: ServerOpts = {
      allowHalfOpen: true,
      noDelay: true,
      highWaterMark: host.maxUnreadBytes,
    };
    const accept = (socket: Socket): void => this.#accept(socket);
    this.server =
      tls === undefined
        ? createServer(options, accept)
        : this.#agreeOnTls(
            createTlsServer({ handshakeTimeout: HANDSHAKE_MS, ...tls, ...options }, accept),
          );
    this.server.on('connection', () => this.#arrived++);
  }

  /** @throws the system's error, if it cannot listen there; `ERR_LINE_LISTEN`, if it is closed first */
  listen(place: Pick<ListenOptions, 'host' | 'port' | 'path'>): Promise<AddressInfo | string> {
    const { server } = this;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.once('close', () => reject(closedEarly())); // while the host's name was looked up
      server.listen({ ...place, backlog: this.backlog }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.host.onError(error));
        resolve(server.address() ?? '');
      });
    });
  }

  /** Takes in who has come already, then nobody more; resolves when every socket is closed. */
  async close(): Promise<void> {
    if (this.server.listening) await this.#takeBacklog();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }

  /** Closes at once whatever is no conversation. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#waiting) socket.destroy();
  }

  /**
   * Accepts the connections that the kernel has accepted already: closing would give them a RST, whatever they have sent.
   * Node may take as few as one in a turn of the event loop, so it is asked until a turn brings none, or until it has brought as
   * many as can have been waiting: new clients keep coming meanwhile.
   */
  async #takeBacklog(): Promise<void> {
    const last = this.#arrived + this.backlog + 1;
    for (let before = -1; before !== this.#arrived && this.#arrived < last && !this.#isCut;) {
      before = this.#arrived;
      await nextTurn();
      await nextTurn();
    }
  }

  #agreeOnTls(server: NetServer): NetServer {
    server.maxConnections = this.host.maxConnections + HANDSHAKES;
    server.on('drop', (client = {}) => {
      this.#arrived++;
      this.host.onRefused(new SocketPeer(client), 'maxConnections');
    });
    server.on('connection', (socket: Socket) => this.#keep(socket));
    server.on('tlsClientError', (_error: Error, socket: Socket) => {
      const peer = new SocketPeer(socket);
      socket.destroy();
      this.host.onRefused(peer, 'tlsHandshake');
    });
    return server;
  }

  #accept(socket: Socket): void {
    const peer = new SocketPeer(socket);
    if (this.host.refusalFor(peer.remoteAddress) === undefined) {
      this.host.serve(socket, peer);
      return;
    }
    // The client may be one that has just left: its FIN is read in the next turn, polling included, at the latest.
    socket.on('error', () => undefined); // 'close' follows
    setImmediate(() => setImmediate(() => this.#acceptIfRoom(socket, peer)));
  }

  #acceptIfRoom(socket: Socket, peer: Peer): void {
    if (socket.destroyed) return;
    const reason = this.host.refusalFor(peer.remoteAddress);
    if (this.#isCut) socket.destroy();
    else if (reason === undefined) this.host.serve(socket, peer);
    else this.#refuse(socket, peer, reason);
  }

  /** Tells a client why it is not served; what it says meanwhile is dropped. */
  #refuse(socket: Socket, peer: Peer, reason: RefusalReason): void {
    const [longest] = this.#refused;
    if (this.#refused.size >= MAX_REFUSED) longest?.destroy();
    this.#refused.add(socket);
    const timer = setTimeout(() => socket.destroy(), REFUSAL_MS);
    socket.on('close', () => {
      clearTimeout(timer);
      this.#refused.delete(socket);
    });
    this.#keep(socket);
    const writer = new LineWriter(socket);
    writer.write(this.host.refusal);
    writer.end();
    socket.resume();
    this.host.onRefused(peer, reason);
  }

  #keep(socket: Socket): void {
    this.#waiting.add(socket);
    socket.on('close', () => this.#waiting.delete(socket));
  }
}
