/**
 * Asks a time service once and prints its reply: `npm run ask -- [host] [port]`. Exit code 1 if none comes.
 */
import { lastValueFrom } from 'rxjs';
import { LineClient } from './line-transport/index.js';
import { TimeClient } from './time/time-client.js';
import { jam } from './time/time-protocol.js';

const [host = 'localhost', port = process.env['PORT'] ?? '45000'] = process.argv.slice(2);

async function ask(): Promise<string> {
  const client = new LineClient({ host, port: Number(port) });
  try {
    const timeOfDay = await new TimeClient(client).timeOfDay();
    await lastValueFrom(client.emit('QUIT', ''));
    return jam(timeOfDay);
  } finally {
    await client.close();
  }
}

try {
  process.stdout.write(`${await ask()}\r\n`);
} catch (error) {
  const fault = error instanceof Error ? error.message : String(error);
  console.error(`No time from ${host} port ${port}: ${fault}`);
  process.exitCode = 1;
}
