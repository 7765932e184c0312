/**
 * A client as tests need it: bytes out, lines in, and how the connection ended. It waits on events, never on time.
 */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { once } from 'node:events';

export class TestClient {
  #received = '';
  #ended: 'open' | 'end' | 'error' | 'close' = 'open';
  #error: NodeJS.ErrnoException | undefined;
  readonly #waiting = new Set<() => void>();

  private constructor(readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake();
    });
    socket.on('end', () => this.#finish('end'));
    socket.on('error', (error) => {
      this.#error = error;
      this.#finish('error');
    });
    socket.on('close', () => this.#finish('close'));
  }

  /** Connects; the client's own side stays open when the server ends its side. */
  static async connect(to: number | NetConnectOpts): Promise<TestClient> {
    const options = typeof to === 'number' ? { port: to, host: '127.0.0.1' } : to;
    const socket = connect({ ...options, allowHalfOpen: true });
    const client = new TestClient(socket);
    await once(socket, 'connect');
    return client;
  }

  /** The server's end of a connection, for tests in which the client is what is tested. */
  static of(socket: Socket): TestClient {
    return new TestClient(socket);
  }

  /** Everything received and not yet taken by {@link line} or {@link transcript}. */
  get received(): string {
    return this.#received;
  }

  /** The error the connection ended with, ECONNRESET after a RST. */
  get error(): NodeJS.ErrnoException | undefined {
    return this.#error;
  }

  send(data: string | Uint8Array): this {
    this.socket.write(data);
    return this;
  }

  /** Closes this side: FIN. */
  end(data?: string): this {
    if (data === undefined) this.socket.end();
    else this.socket.end(data);
    return this;
  }

  /** Cuts the connection: RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }

  /** The next line, with its CR LF taken off. Fails if the server ends before one comes. */
  async line(): Promise<string> {
    await this.#until(() => this.#received.includes('\r\n') || this.#ended !== 'open');
    const end = this.#received.indexOf('\r\n');
    if (end === -1)
      throw new Error(`no line came before the end, only ${JSON.stringify(this.#received)}`);
    const line = this.#received.slice(0, end);
    this.#received = this.#received.slice(end + 2);
    return line;
  }

  /** The next `count` lines. */
  async lines(count: number): Promise<string[]> {
    const lines: string[] = [];
    while (lines.length < count) lines.push(await this.line());
    return lines;
  }

  /** Everything up to the server's FIN, byte for byte (latin1). Fails on a RST. */
  async transcript(): Promise<string> {
    await this.ended();
    if (this.#error !== undefined) throw this.#error;
    const received = this.#received;
    this.#received = '';
    return received;
  }

  /** Resolves when the server has ended its side or the connection is cut. */
  async ended(): Promise<void> {
    await this.#until(() => this.#ended !== 'open');
  }

  #until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition()) return;
        this.#waiting.delete(check);
        resolve();
      };
      this.#waiting.add(check);
      check();
    });
  }

  #finish(how: 'end' | 'error' | 'close'): void {
    if (this.#ended === 'open') this.#ended = how;
    this.#wake();
  }

  #wake(): void {
    for (const check of this.#waiting) check();
  }
}
