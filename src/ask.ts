#!/usr/bin/env node
/**
 * Asks a time service once and prints its reply: `npm run ask -- [host] [port]`. Exit code 1 if none comes.
 */
import { connect } from 'node:net';

const [host = 'localhost', port = process.env['PORT'] ?? '45000'] = process.argv.slice(2);
const socket = connect({ host, port: Number(port), timeout: 5_000 });
socket.setEncoding('utf8').on('data', (reply: string) => process.stdout.write(reply));
socket.on('timeout', () => socket.destroy(new Error('no reply within 5 seconds')));
socket.on('error', (error) => {
  console.error(`No time from ${host} port ${port}: ${error.message}`);
  process.exitCode = 1;
});
socket.end('TIME\r\nQUIT\r\n');
