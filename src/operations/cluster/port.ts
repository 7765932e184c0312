/**
 * Port: where clients connect to a service of several processes. The primary holds it, so that it is open whatever becomes of workers,
 * accepts, and reads nothing of what clients send.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import {
  LINE_OPTION_BOUNDS,
  listenError,
  type LineServerOptions,
  roomForSockets,
  takeBacklog,
} from '../../line-transport/index.js';
import type { Settings } from '../config/settings.js';

const BACKLOG = LINE_OPTION_BOUNDS.backlog.default;
/** What a worker takes of the primary's descriptors: its channel and its log. */
const WORKER_DESCRIPTORS = 2;
/** A failure that may come by the thousand is told once in so long. */
const TELL_MS = 60_000;

type Limits = Pick<Settings, 'MAX_CONNECTIONS' | 'WORKERS'>;

/** Who is told what happens there. */
interface Listener {
  /** A client has connected; its socket is not read from. */
  readonly onClient: (socket: Socket) => void;
  /** The socket failed, or a client was dropped; each kind of failure is told once a minute. */
  readonly onError: (error: Error) => void;
}

export class Port {
  readonly #server = createServer({ pauseOnConnect: true });
  #arrived = 0;
  #dropped = 0;
  /** When each kind of failure was told last. */
  readonly #toldAt = new Map<string | undefined, number>();

  constructor(
    given: Limits,
    private readonly listener: Listener,
  ) {
    this.#server.maxConnections = maxHeld(given);
    this.#server.on('connection', (socket) => {
      this.#arrived++;
      listener.onClient(socket);
    });
    this.#server.on('drop', () => {
      this.#dropped++;
      this.#tell(new Error('more clients came than can be held until a worker takes them'));
    });
  }

  /** Clients that were closed at once, because no more could be held until a worker takes them. */
  get dropped(): number {
    return this.#dropped;
  }

  /** @throws {LineError} `ERR_LINE_LISTEN`, if the system does not let it */
  async listen(
    place: Pick<LineServerOptions, 'host' | 'port' | 'fd'>,
  ): Promise<AddressInfo | string> {
    try {
      await once(this.#server.listen({ ...place, backlog: BACKLOG }), 'listening');
    } catch (error) {
      throw listenError(place, error);
    }
    this.#server.on('error', (error) => this.#tell(error));
    return this.#server.address() ?? `fd ${place.fd}`;
  }

  /** Takes in whom the kernel has accepted already, then nobody more. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await takeBacklog(BACKLOG, () => this.#arrived + this.#dropped);
    this.#server.close();
  }

  #tell(error: NodeJS.ErrnoException): void {
    const now = performance.now();
    if (now - (this.#toldAt.get(error.code) ?? -Infinity) < TELL_MS) return;
    this.#toldAt.set(error.code, now);
    this.listener.onError(error);
  }
}

/**
 * The most clients that are held until a worker takes them. Those that come at once and are too many are held, too: workers refuse
 * them, as a service of one process does. Some descriptors are left for workers.
 */
function maxHeld({ MAX_CONNECTIONS, WORKERS }: Limits): number {
  const room = roomForSockets()?.room ?? Infinity;
  return Math.max(Math.min(MAX_CONNECTIONS + BACKLOG, room - WORKERS * WORKER_DESCRIPTORS), 1);
}
