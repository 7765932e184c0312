/**
 * Injection: a conversation of one line without any socket. Knows nothing of who answers.
 */
import { type Duplex, duplexPair } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { LineError } from './line-errors.js';
import { DO_TIMING_MARK, WONT_TIMING_MARK } from './telnet-filter.js';

/**
 * Says a line, closes its side, and hears what is said until the other side is closed.
 * @param serve begins the conversation
 * @returns the lines of the reply, separated by LF, without the greeting
 * @throws {LineError} `ERR_LINE_CLOSED` if the conversation is cut
 */
export async function inject(serve: (stream: Duplex) => void, line: string): Promise<string> {
  const [client, server] = duplexPair();
  server.on('close', () => client.push(null));
  serve(server);
  client.write(DO_TIMING_MARK); // is answered behind the greeting
  client.end(`${line}\r\n`);
  const said = await buffer(client);
  if (!server.writableFinished) {
    throw new LineError(
      'ERR_LINE_CLOSED',
      'The conversation was cut before its reply was complete.',
    );
  }
  const mark = said.indexOf(WONT_TIMING_MARK);
  const reply = mark === -1 ? said : said.subarray(mark + WONT_TIMING_MARK.length);
  return reply.toString().replace(/\r\n$/, '').replaceAll('\r\n', '\n');
}
