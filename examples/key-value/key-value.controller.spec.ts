/**
 * The key-value example: its commands, its error lines, and that it holds no more than it should.
 */
import { describe, expect, it } from 'vitest';
import { initExample, startExample } from '../../test/support/example.js';
import { KeyValueModule } from './key-value.module.js';
import { Store } from './store.service.js';

/** What one client is told for these lines. */
async function replies(...lines: string[]): Promise<string[]> {
  const { converse } = await initExample(KeyValueModule);
  return converse()
    .send(...lines)
    .end()
    .rest();
}

describe('The key-value example', () => {
  it('sets, gets and deletes, in any case of the command', async () => {
    expect(await replies('SET a 1', 'get a', 'Del a b', 'GET a', 'del')).toEqual([
      '+OK',
      '+1',
      ':1',
      '$-1',
      ':0',
    ]);
  });

  it.each(['"hello world"', '"say \\"hi\\""', '"a\\r\\nb"', '"\\u0000"', '""', '-1', 'Größe'])(
    'gets %s as it was set',
    async (written) => {
      expect(await replies(`SET key ${written}`, 'GET key')).toEqual(['+OK', `+${written}`]);
    },
  );

  it('takes any word for a key', async () => {
    const keys = ['__proto__', 'constructor', 'a b', 'A', 'a'];
    const sets = keys.map((key) => `SET "${key}" 1`);
    expect((await replies(...sets, 'GET toString', 'KEYS')).slice(-2)).toEqual([
      '$-1',
      '*__proto__ constructor "a b" A a',
    ]);
  });

  it('counts up, if it is a number that can be', async () => {
    const lines = ['INCR n', 'INCR n', 'SET n 9007199254740991', 'INCR n', 'SET n 0x1', 'INCR n'];
    expect(await replies(...lines, 'GET n')).toEqual([
      ':1',
      ':2',
      '+OK',
      '-ERR the value is no whole number',
      '+OK',
      '-ERR the value is no whole number',
      '+0x1',
    ]);
  });

  it.each([
    ['SET', '-ERR wrong arguments, use SET <key> <value>'],
    ['SET a', '-ERR wrong arguments, use SET <key> <value>'],
    ['SET a b c', '-ERR wrong arguments, use SET <key> <value>'],
    ['GET', '-ERR wrong arguments, use GET <key>'],
    ['INCR', '-ERR wrong arguments, use INCR <key>'],
    ['GET "a', '-ERR unbalanced quotes'],
    ['FLUSHALL', '-ERR unknown command, use SET GET DEL INCR KEYS'],
    [`SET a ${'b'.repeat(1024)}`, '-ERR a line has at most 1024 bytes'],
  ])('says what is wrong with %s', async (line, reply) => {
    expect(await replies(line)).toEqual([reply]);
  });

  it('shares its keys between clients, over sockets', async () => {
    const { connect } = await startExample(KeyValueModule);
    const [one, other] = [await connect(), await connect()];
    one.send('SET a 1\r\n');
    expect(await one.line()).toBe('+OK');
    other.end('INCR a\r\nKEYS\r\n');
    expect(await other.transcript()).toBe(':2\r\n*a\r\n');
  });
});

describe('The store', () => {
  it('refuses one more key than it has room for, and still changes those it has', () => {
    const store = new Store();
    for (let key = 0; key < 1_000; key++) store.set(String(key), 'x');
    expect(() => store.set('more', 'x')).toThrow('no room for more than 1000 keys');
    expect(store.set('0', 'y').get('0')).toBe('y');
    store.delete('0');
    expect(store.set('more', 'x').size).toBe(1_000);
  });
});
