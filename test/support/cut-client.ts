/**
 * A client that is gone before anybody looks at it. Needs python3, which can do so while this process does nothing.
 */
import { execFileSync } from 'node:child_process';

const PROGRAM = `
import socket, struct, sys
client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
client.sendall(sys.argv[2].encode())
client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
client.close()
`;

/** Connects, sends, and cuts the connection: RST. A server of this process finds a connection that is over, with bytes to be read. */
export function sendAndCut(port: number, text: string): void {
  execFileSync('python3', ['-c', PROGRAM, String(port), text]);
}
