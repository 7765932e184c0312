/**
 * LineConversation: a client in memory. It speaks with a server through its whole pipeline, byte by byte if need be, and no
 * socket is opened. Knows nothing of test runners.
 */
import { type Duplex, duplexPair } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { type LineConnection, LineError, type LineServer, type Peer } from '../index.js';

const LOCAL: Peer = { remoteAddress: '127.0.0.1', remotePort: 50_000 };

/**
 * A conversation with a server after `app.init()`; `listen()` is not needed. Whatever is still open when the application is closed
 * ends as every conversation does then.
 *
 * ```ts
 * const client = new LineConversation(app.get(LineServer));
 * client.send('LOGIN ada');
 * expect(await client.next()).toBe('WELCOME');
 * ```
 */
export class LineConversation {
  /** The server's side, as its handlers and hooks see it. */
  readonly connection: LineConnection;
  readonly #client: Duplex;
  readonly #server: Duplex;
  readonly #text = new StringDecoder('utf8');
  #unread = '';
  #isEnded = false;
  /** Those who wait for a line, in the order in which they began to. */
  #waiting: (() => void)[] = [];

  /**
   * @param peer what the server is to know of this client. Default: 127.0.0.1, port 50000, no TLS
   * @throws {LineError} `ERR_LINE_CONNECT` before `app.init()`, when no handler is there yet
   */
  constructor(server: LineServer, peer: Peer = LOCAL) {
    [this.#client, this.#server] = duplexPair();
    this.#client.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#client.on('end', () => {
      this.#client.end(); // as clients do; the server would wait a second for it
      this.#finish();
    });
    this.#server.on('close', () => this.#finish());
    this.connection = server.serve(this.#server, peer);
  }

  /** Sends lines; their ends are added. Throws as {@link write} does. */
  send(...lines: string[]): this {
    return this.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  /**
   * Sends bytes as they are, each argument in a chunk of its own: a line may be split anywhere, or never end.
   * @throws {LineError} `ERR_LINE_CLOSED` after {@link end}, or when the server has closed or the connection is cut
   */
  write(...chunks: (string | Uint8Array)[]): this {
    if (this.#client.writableEnded || this.#server.destroyed) {
      const message = 'Nothing can be sent: this side of the conversation is closed.';
      throw new LineError('ERR_LINE_CLOSED', message);
    }
    for (const chunk of chunks) this.#client.write(chunk);
    return this;
  }

  /** Closes this side, and goes on reading: what a client does that has said everything. */
  end(): this {
    this.#client.end();
    return this;
  }

  /** Cuts the connection, as a client does that crashes. */
  disconnect(): void {
    const reset = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
    this.#server.destroy(reset);
  }

  /** The next line, without its end; `undefined` when the server has closed and every line is taken. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#unread.indexOf('\r\n');
      if (end !== -1) return this.#take(end);
      if (this.#isEnded) return undefined;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    }
  }

  /** The lines that are left, once the server has closed. */
  async rest(): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.next(); line !== undefined; line = await this.next()) {
      lines.push(line);
    }
    return lines;
  }

  #take(end: number): string {
    const line = this.#unread.slice(0, end);
    this.#unread = this.#unread.slice(end + 2);
    return line;
  }

  #receive(chunk: Buffer): void {
    this.#unread += this.#text.write(chunk);
    this.#wake();
  }

  #finish(): void {
    this.#isEnded = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
