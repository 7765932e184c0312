/**
 * Dialogue: a client that says something and hears a line, in turn.
 */
import type { Socket } from 'node:net';

export class Dialogue {
  #received = '';
  #wake: (() => void) | undefined;

  /** @param socket whatever comes from it is heard as Latin-1, so that no byte is lost */
  constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.#received += text;
      this.#wake?.();
    });
    socket.once('close', () => this.#wake?.());
  }

  /** What has come and was not heard. */
  get rest(): string {
    return this.#received;
  }

  say(words: string | Uint8Array): this {
    if (this.socket.writable) this.socket.write(words);
    return this;
  }

  /** The next line with its end. @throws if the conversation ends without one */
  async hear(): Promise<string> {
    for (let end = this.#lineEnd(); ; end = this.#lineEnd()) {
      if (end > 0) {
        const line = this.#received.slice(0, end);
        this.#received = this.#received.slice(end);
        return line;
      }
      if (this.socket.closed) throw this.#endedEarly();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #lineEnd(): number {
    return this.#received.indexOf('\n') + 1;
  }

  #endedEarly(): Error {
    const how = this.socket.errored?.message ?? 'by the service';
    return new Error(`it ended (${how}) after ${JSON.stringify(this.#received)}`);
  }
}
