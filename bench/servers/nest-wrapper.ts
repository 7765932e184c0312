/**
 * What Nest's own wrapper costs: the bare server of bare.ts as a strategy as small as can be, which awaits, line by line, the very
 * handler that Nest hands to LineServer. Beside it stands what LineServer adds.
 */
import { createServer, type Socket } from 'node:net';
import { NestFactory } from '@nestjs/core';
import {
  BaseRpcContext,
  type CustomTransportStrategy,
  type MessageHandler,
  Server,
} from '@nestjs/microservices';
import { CLOSE, LINE_TRANSPORT } from '../../src/line-transport/index.js';
import { TimeModule } from '../../src/time/time.module.js';
import { HOST, PORT } from './environment.js';

class BareStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = LINE_TRANSPORT;

  listen(callback: () => void): void {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      serve(socket, this.messageHandlers),
    );
    server.listen({ host: HOST, port: PORT, backlog: 1024 }, callback);
  }

  close(): void {}

  override on(): void {}

  override unwrap<T>(): T {
    throw new Error('There is nothing to unwrap.');
  }
}

/** The lines of a chunk are answered one after the other, in one write; chunks that come meanwhile wait. */
function serve(socket: Socket, handlers: ReadonlyMap<string, MessageHandler>): void {
  let rest = '';
  let served = Promise.resolve();
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    served = served.then(() => answer(socket, lines, handlers));
  });
  socket.on('end', () => void served.then(() => socket.end()));
  socket.on('error', () => socket.destroy());
}

async function answer(
  socket: Socket,
  lines: readonly string[],
  handlers: ReadonlyMap<string, MessageHandler>,
): Promise<void> {
  let replies = '';
  for (const line of lines) {
    const handler = handlers.get(line.trim());
    const reply: unknown = await handler?.(undefined, new BaseRpcContext([line]));
    if (reply === CLOSE) {
      socket.end(replies, 'latin1');
      return;
    }
    replies += `${String(reply)}\r\n`;
  }
  if (replies !== '') socket.write(replies, 'latin1');
}

const app = await NestFactory.createMicroservice(TimeModule, {
  strategy: new BareStrategy(),
  logger: ['error'],
});
await app.listen();
