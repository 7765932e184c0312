/**
 * The baseline: the protocol on bare `node:net` or `node:tls`, as fast as plain code gets there. It checks nothing, bounds nothing
 * and logs nothing, so it is the runtime's own limit and no server to run.
 */
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { certificate, FORM, HOST, PORT } from './environment.js';
import { jamNow } from './jam.js';

const OPTIONS = { allowHalfOpen: true, noDelay: true };
const UNKNOWN = 'UNKNOWN COMMAND. Use TIME or QUIT.\r\n';

/** All lines of a chunk are answered in one write. */
function serve(socket: Socket): void {
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    const text = rest + chunk.toString('latin1');
    let replies = '';
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const line = text.slice(start, end).trim();
      start = end + 1;
      if (line === 'QUIT') {
        socket.end(replies, 'latin1');
        return;
      }
      replies += line === 'TIME' ? jamNow() : UNKNOWN;
    }
    rest = text.slice(start);
    if (replies !== '') socket.write(replies, 'latin1');
  });
  socket.on('end', () => socket.end());
  socket.on('error', () => socket.destroy());
}

const server =
  FORM === 'tls'
    ? createTlsServer({ ...OPTIONS, ...certificate() }, serve)
    : createServer(OPTIONS, serve);
server.listen({ host: HOST, port: PORT, backlog: 1024 });
