/**
 * Asks a time service once and prints its reply: `npm run ask -- [host] [port]`. Exit code 1 if no time comes.
 */
import { connect } from 'node:net';

const [host = 'localhost', port = process.env['PORT'] ?? '45000'] = process.argv.slice(2);
let told = '';

function complain(why: string): void {
  console.error(`No time from ${host} port ${port}: ${why}`);
  process.exitCode = 1;
}

if (/^\d{1,5}$/.test(port) && Number(port) < 65_536) {
  const socket = connect({ host, port: Number(port), timeout: 5_000 });
  socket.setEncoding('utf8').on('data', (text: string) => (told += text));
  socket.on('timeout', () => socket.destroy(new Error('no reply within 5 seconds')));
  socket.on('error', (error) => complain(error.message));
  socket.on('end', () => {
    if (told.startsWith('JAM ')) process.stdout.write(told);
    else complain(told === '' ? 'the connection was closed without a reply' : told.trim());
  });
  socket.end('TIME\r\nQUIT\r\n');
} else {
  complain('the port must be a whole number from 0 to 65535');
}
