/**
 * TlsHandshakes: those who agree on TLS, and who they are. Knows nothing of lines, nor of how many there may be.
 */
import type { Socket } from 'node:net';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { type Peer, SocketPeer } from './line-peer.js';

/** What becomes of a handshake; one of these is called, once. */
export interface HandshakeFate {
  /** Whether it may be served when it has agreed. */
  readonly hasPlace: boolean;
  onAgreed(socket: TLSSocket, peer: Peer): void;
  /** No session came about, and the socket is gone. */
  onFailed(peer: Peer): void;
}

interface Handshake {
  readonly peer: Peer;
  readonly fate: HandshakeFate;
  isOver: boolean;
}

export class TlsHandshakes {
  /** By both ends of their connections. */
  readonly #begun = new Map<string, Handshake>();
  /**
   * Over a Unix domain socket a connection has no ends to know it by: every client is like every other, and only their number counts.
   * Those who have a place are the last: who agrees takes one of them, who fails one of the others.
   */
  readonly #ofAnybody: HandshakeFate[] = [];
  readonly #agree: (socket: Socket) => void;

  /** @param server begins no handshake by itself from now on: who comes may have to say something else first, or may have to go */
  constructor(server: TlsServer) {
    const agreements = server.listeners('connection');
    server.removeAllListeners('connection');
    this.#agree = (socket) => {
      socket.allowHalfOpen = false; // so is the session's: a client that ends before it has agreed will not agree any more
      for (const agree of agreements) Reflect.apply(agree, server, [socket]);
    };
    server.on('secureConnection', (socket) => this.#finish(socket));
    server.on('tlsClientError', (_error, socket) => this.#fail(socket));
  }

  /** @param socket whose next byte is the first of TLS */
  begin(socket: Socket, peer: Peer, fate: HandshakeFate): void {
    const ends = endsOf(socket);
    if (ends === undefined) this.#addAnybody(fate);
    else this.#follow(socket, ends, { peer, fate, isOver: false });
    this.#agree(socket);
  }

  #addAnybody(fate: HandshakeFate): void {
    if (fate.hasPlace) this.#ofAnybody.push(fate);
    else this.#ofAnybody.unshift(fate);
  }

  #follow(socket: Socket, ends: string, handshake: Handshake): void {
    this.#begun.set(ends, handshake);
    socket.on('close', () => {
      // A client that cuts its connection may come again with the same ends before that is known here.
      if (this.#begun.get(ends) === handshake) this.#begun.delete(ends);
      if (!handshake.isOver) handshake.fate.onFailed(handshake.peer);
    });
  }

  #finish(socket: TLSSocket): void {
    socket.allowHalfOpen = true;
    const ends = endsOf(socket);
    const anybody = ends === undefined ? this.#ofAnybody.pop() : undefined;
    if (anybody !== undefined) {
      anybody.onAgreed(socket, new SocketPeer(socket));
      return;
    }
    const handshake = this.#begun.get(ends ?? '');
    if (handshake === undefined) {
      socket.destroy(); // its client has cut it meanwhile
      return;
    }
    handshake.isOver = true;
    handshake.fate.onAgreed(socket, new SocketPeer(socket, handshake.peer));
  }

  #fail(socket: TLSSocket): void {
    const peer = new SocketPeer(socket);
    socket.destroy();
    if (peer.remoteAddress === undefined) this.#ofAnybody.shift()?.onFailed(peer);
  }
}

/**
 * What a connection and the TLS session over it both have, and no other connection: nothing public says which session goes over which.
 * @returns `undefined` for a Unix domain socket, and when the client has cut the connection
 */
function endsOf({
  remoteAddress,
  remotePort,
  localAddress,
  localPort,
}: Socket): string | undefined {
  if (remoteAddress === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
