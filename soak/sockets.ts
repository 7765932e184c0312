/**
 * Sockets as acts need them. Knows nothing of lines.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export const HOST = '127.0.0.1';

/**
 * A connection to the service that closes when the service ends its side. Its errors are looked up afterwards, in `errored`.
 * @param localAddress each address of 127.0.0.0/8 brings ports of its own
 */
export async function dial(port: number, localAddress = HOST): Promise<Socket> {
  const socket = connect({ host: HOST, port, localAddress, noDelay: true });
  await once(socket, 'connect');
  socket.on('error', () => undefined); // without a listener the process would end
  return socket;
}

/** Resolves when nothing is left of it. */
export async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

/** As many visits as are asked for, not more than so many at the same time. */
export async function crowd(
  count: number,
  atOnce: number,
  visit: (index: number) => Promise<void>,
): Promise<void> {
  let begun = 0;
  const oneByOne = async (): Promise<void> => {
    while (begun < count) await visit(begun++);
  };
  await Promise.all(Array.from({ length: Math.min(count, atOnce) }, oneByOne));
}
