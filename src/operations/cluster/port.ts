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
  takeBacklog,
} from '../../line-transport/index.js';

const BACKLOG = LINE_OPTION_BOUNDS.backlog.default;

export class Port {
  #arrived = 0;
  readonly #server = createServer({ pauseOnConnect: true });

  /**
   * @param give takes each client that has connected; its socket is not read from
   * @param maxHeld the most clients that nobody has taken yet; one more is closed at once
   */
  constructor(give: (socket: Socket) => void, maxHeld: number) {
    this.#server.maxConnections = maxHeld;
    this.#server.on('connection', (socket) => {
      this.#arrived++;
      give(socket);
    });
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
    return this.#server.address() ?? (place.fd === undefined ? '' : `fd ${place.fd}`);
  }

  onError(listener: (error: Error) => void): void {
    this.#server.on('error', listener);
  }

  /** Takes in whom the kernel has accepted already, then nobody more. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    await takeBacklog(BACKLOG, () => this.#arrived);
    this.#server.close();
  }
}
