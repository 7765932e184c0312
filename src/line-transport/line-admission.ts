/**
 * LineAdmission: what a client goes through between the door and its conversation. Whoever comes through a proxy says so first
 * (PROXY header), whose address is not wanted is closed, whoever there is no room for is told, and with TLS it is agreed on. Knows
 * nothing of listening.
 */
import type { Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { AddressList } from './address-list.js';
import type { RefusalReason } from './line-events.js';
import type { ResolvedLineServerOptions } from './line-options.js';
import { type Peer, SocketPeer } from './line-peer.js';
import { awaitProxyHeader } from './proxy-header-wait.js';
import { RefusedClients } from './refused-clients.js';
import { TlsHandshakes } from './tls-handshakes.js';

/** Clients without a place who send a PROXY header or agree on TLS, to be told why. One more is closed at once, and told nothing. */
const MAX_BEYOND = 100;

/** Who is behind the door. */
export interface LineHost {
  /** What a client is told whom there is no room for. */
  readonly refusal: string;
  /** Why there is no room for a client with this address; `undefined` if there is. */
  refusalFor(address: string | undefined): RefusalReason | undefined;
  /** Keeps a place for a client that is not served yet. @returns gives it back, once */
  keepPlace(address: string | undefined): () => void;
  serve(socket: Socket, peer: Peer): void;
  onRefused(peer: Peer, reason: RefusalReason): void;
  /** The listening socket failed after it had begun to listen. */
  onError(error: Error): void;
}

/** Who may come, and how. */
export type AdmissionOptions = Pick<
  ResolvedLineServerOptions,
  'allowAddresses' | 'denyAddresses' | 'proxyProtocolTrust' | 'proxyHeaderTimeoutMs'
>;

export class LineAdmission {
  /** Whether clients come over a Unix domain socket: they have no addresses, and the rights of its file say who may come. */
  isLocal = false;

  readonly #allowed: AddressList | undefined;
  readonly #denied: AddressList | undefined;
  readonly #proxies: AddressList | undefined;
  readonly #handshakes: TlsHandshakes | undefined;
  readonly #refused: RefusedClients;
  /** Sockets of proxies that have not said whose they are. */
  readonly #unnamed = new Set<Socket>();
  /** Sockets over which TLS is agreed on, or was: nothing public says which one an agreed session goes over. */
  readonly #agreeing = new Set<Socket>();
  /** Those on their way who have no place. */
  readonly #beyond = new Set<Socket>();
  #maxBeyond = MAX_BEYOND;
  #isCut = false;

  /** @param tls what agrees on TLS; `undefined` for plain TCP */
  constructor(
    private readonly host: LineHost,
    private readonly options: AdmissionOptions,
    tls: TlsServer | undefined,
  ) {
    this.#allowed = listOf(options.allowAddresses);
    this.#denied = listOf(options.denyAddresses);
    this.#proxies = listOf(options.proxyProtocolTrust);
    this.#handshakes = tls === undefined ? undefined : new TlsHandshakes(tls);
    this.#refused = new RefusedClients(host.refusal);
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  /** From now on no more than so many sockets on their way that have no place, and as many of clients who are being told so. */
  lower(spare: number): void {
    this.#maxBeyond = Math.min(spare, MAX_BEYOND);
    this.#refused.lower(spare);
  }

  /** A socket that has just been accepted. */
  enter(socket: Socket): void {
    if (this.#isCut) {
      socket.destroy(); // it was in the backlog: nobody waits for what it would agree on
      return;
    }
    const peer = new SocketPeer(socket);
    if (this.#proxies === undefined) this.#admit(socket, peer);
    else this.#enterByProxy(this.#proxies, socket, peer);
  }

  /** Closes those of whom nobody knows who they are: what they have sent until now was no header. */
  cutUnnamed(): void {
    for (const socket of this.#unnamed) socket.destroy();
  }

  /** Closes at once whatever is no conversation. */
  cut(): void {
    this.#isCut = true;
    this.cutUnnamed();
    for (const socket of this.#agreeing) socket.destroy();
    this.#refused.cut();
  }

  #enterByProxy(proxies: AddressList, socket: Socket, peer: Peer): void {
    const { remoteAddress } = peer;
    if (this.#isGone(remoteAddress)) this.#turnAway(socket, peer, 'proxyProbe');
    else if (remoteAddress === undefined || proxies.has(remoteAddress)) {
      this.#awaitHeader(socket, peer);
    } else this.#turnAway(socket, peer, 'proxyUntrusted');
  }

  /** Whoever has no address over TCP has cut the connection; what it sent before would be read all the same. */
  #isGone(address: string | undefined): boolean {
    return address === undefined && !this.isLocal;
  }

  #isWanted(address: string | undefined): boolean {
    const [allowed, denied] = [this.#allowed, this.#denied];
    if (allowed === undefined && denied === undefined) return true;
    if (address === undefined) return this.isLocal;
    return denied?.has(address) !== true && allowed?.has(address) !== false;
  }

  /** All that is known of the client is that it has a trusted proxy, so it is counted for no address. */
  #awaitHeader(socket: Socket, proxy: Peer): void {
    const leave = this.#findRoom(socket, proxy, undefined);
    if (leave === undefined) return;
    this.#unnamed.add(socket);
    const end = (): void => {
      leave();
      this.#unnamed.delete(socket);
    };
    const refuse = (reason: RefusalReason): void => {
      end();
      this.#turnAway(socket, proxy, reason);
    };
    awaitProxyHeader(socket, this.options.proxyHeaderTimeoutMs, {
      onHeader: (ends) => {
        end();
        this.#admit(socket, new SocketPeer(socket, ends));
      },
      onFault: () => refuse('proxyHeader'),
      onProbe: () => refuse('proxyProbe'),
    });
  }

  /** The address that the client is counted and judged by is known. */
  #admit(socket: Socket, peer: Peer): void {
    if (!this.#isWanted(peer.remoteAddress)) this.#turnAway(socket, peer, 'addressDenied');
    else if (this.#handshakes === undefined) this.#accept(socket, peer);
    else this.#agreeOnTls(this.#handshakes, socket, peer);
  }

  /** Who is beyond what there is room for could not be told without TLS; and there may be room when it is agreed on. */
  #agreeOnTls(handshakes: TlsHandshakes, socket: Socket, peer: Peer): void {
    const { remoteAddress } = peer;
    if (this.#isGone(remoteAddress)) {
      this.#turnAway(socket, peer, 'tlsHandshake');
      return;
    }
    const leave = this.#findRoom(socket, peer, remoteAddress);
    if (leave === undefined) return;
    this.#agreeing.add(socket);
    socket.on('close', () => this.#agreeing.delete(socket));
    handshakes.begin(socket, peer, {
      hasPlace: !this.#beyond.has(socket),
      onAgreed: (secured, known) => {
        leave();
        this.#accept(secured, known);
      },
      onFailed: (known) => {
        leave();
        this.host.onRefused(known, 'tlsHandshake');
      },
    });
  }

  /**
   * Room for somebody who cannot be served or told yet: a place, or if there is none, one of a few beyond.
   * @returns gives it back; `undefined` if there is none of either, and the client is closed
   */
  #findRoom(socket: Socket, peer: Peer, address: string | undefined): (() => void) | undefined {
    const reason = this.host.refusalFor(address);
    if (reason === undefined) return this.host.keepPlace(address);
    if (this.#beyond.size >= this.#maxBeyond) {
      this.#turnAway(socket, peer, reason);
      return undefined;
    }
    this.#beyond.add(socket);
    return () => this.#beyond.delete(socket);
  }

  /** Closes a client that is told nothing. */
  #turnAway(socket: Socket, peer: Peer, reason: RefusalReason): void {
    socket.destroy();
    this.host.onRefused(peer, reason);
  }

  #accept(socket: Socket, peer: Peer): void {
    if (this.host.refusalFor(peer.remoteAddress) === undefined) {
      this.#serve(socket, peer);
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
    else if (reason === undefined) this.#serve(socket, peer);
    else {
      this.#refused.tell(socket);
      this.host.onRefused(peer, reason);
    }
  }

  #serve(socket: Socket, peer: Peer): void {
    this.host.serve(socket, peer);
    if (socket.isPaused()) socket.resume(); // behind a PROXY header
  }
}

function listOf(entries: readonly string[] | undefined): AddressList | undefined {
  return entries === undefined ? undefined : new AddressList(entries);
}
