/**
 * The socket of a service manager, held by python3, as Node has no datagrams on Unix sockets: it tells what the real systemd-notify
 * sends to it.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

/** One line for each message, whose own lines become blanks. What comes with a message, the barrier's descriptor, is closed. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print('bound', flush=True)
while True:
    print(receiver.recv(4096).decode().replace('\\n', ' ').strip(), flush=True)
`;

export class NotifySocket {
  /** What has come and was not waited for: `READY=1`, say. */
  readonly messages: string[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(readonly path: string) {}

  static async open(): Promise<NotifySocket> {
    const socket = new NotifySocket(join(temporaryFolder(), 'notify'));
    const python = spawn('python3', ['-c', RECEIVER, socket.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => {
      python.kill('SIGKILL');
    });
    createInterface(python.stdout).on('line', (line) => {
      if (line !== 'BARRIER=1') socket.messages.push(line); // systemd-notify waits for that to be read
      for (const check of socket.#waiting) check();
    });
    await socket.next();
    return socket;
  }

  /** The next message. */
  next(): Promise<string> {
    return new Promise((resolve) => {
      const check = (): void => {
        const message = this.messages.shift();
        if (message === undefined) return;
        this.#waiting.delete(check);
        resolve(message);
      };
      this.#waiting.add(check);
      check();
    });
  }
}
