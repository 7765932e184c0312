/** What clients send who mean harm: names that every object has, lines that are dear to read, text that would be a reply. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  BadRequestException,
  Catch,
  Controller,
  type ExceptionFilter,
  Injectable,
  UseFilters,
} from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { from, type Observable, of, throwError } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import {
  Arg,
  Args,
  ClosingException,
  closeWith,
  Command,
  ENGLISH,
  type LineConnection,
  type LineReply,
  LineServer,
  type LineServerOptions,
  type LineStream,
  OnConnect,
  RawLine,
  UnknownCommand,
} from '../../src/line-transport/index.js';
import { LineConversation } from '../../src/line-transport/testing/index.js';
import { startLineApplication } from '../support/line-application.js';
import { prepareLineApplication, talk } from '../support/talk.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What is found on every object, function or array, or is looked for on any. */
const INHERITED = [
  ...Object.getOwnPropertyNames(Object.prototype),
  ...Object.getOwnPropertyNames(Function.prototype),
  'prototype',
  'then',
  'toJSON',
  'map',
  'size',
  'Symbol.iterator',
];

@Controller()
class PlainController {
  @Command('TIME')
  time(): LineReply {
    return 'now';
  }

  @Command('COUNT', { args: 'words' })
  count(@Args() words: string[]): LineReply {
    return words.length;
  }

  @Command('SET', { args: ['key', 'value?'] })
  set(@Args() words: Record<string, string>): LineReply {
    return JSON.stringify([Object.keys(words), words, String(Object.getPrototypeOf(words))]);
  }

  @Command('MEASURE', { args: ['key', 'value?'] })
  measure(@Args() { key = '', value = '' }: Record<string, string>): LineReply {
    return key.length + value.length;
  }

  @Command('FIRST', { args: 'words' })
  first(@Arg(0) word: string): LineReply {
    return word;
  }

  @Command('NOTE', { args: 'rest' })
  note(@Args() rest: string): LineReply {
    return rest.length;
  }
}

describe.each([false, true])('A name that every object has (ignoreCase: %s)', (ignoreCase) => {
  const prepare = (): Promise<LineServer> =>
    prepareLineApplication([PlainController], [], undefined, { ignoreCase });

  it('is no command: alone, with arguments, in front of a command or in any case', async () => {
    const lines = INHERITED.flatMap((name) => [
      name,
      `${name} a b`,
      `${name}\tTIME`,
      name.toUpperCase(),
      name.toLowerCase(),
      `TIME.${name}`,
      `TIME ${name}`,
      `"${name}"`,
      `["${name}"]`,
    ]);
    const told = await talk(await prepare(), ...lines);
    expect(told).toHaveLength(lines.length);
    expect(new Set(told)).toEqual(
      new Set(['UNKNOWN COMMAND. Use TIME, COUNT, SET, MEASURE, FIRST or NOTE.']),
    );
  });

  it('is a word like any other in the arguments of a command, and changes no object', async () => {
    const server = await prepare();
    const before = Object.getOwnPropertyNames(Object.prototype);
    for (const name of INHERITED) {
      expect(await talk(server, `FIRST ${name}`, `SET ${name} x`, `SET x ${name}`)).toEqual([
        name,
        JSON.stringify([['key', 'value'], { key: name, value: 'x' }, '[object Object]']),
        JSON.stringify([['key', 'value'], { key: 'x', value: name }, '[object Object]']),
      ]);
    }
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(before);
    expect(Reflect.get({}, 'x')).toBeUndefined();
  });

  it('is counted as any unknown command is, and not by what it says', async () => {
    const server = await prepare();
    const { protocolErrors: none, ...before } = server.stats();
    await talk(server, ...INHERITED);
    const { protocolErrors, ...after } = server.stats();
    expect(protocolErrors).toEqual({ ...none, unknownCommand: INHERITED.length });
    expect(Object.keys(after)).toEqual(Object.keys(before));
  });
});

it('Lines that nobody has sent before leave nothing behind', async () => {
  const server = await prepareLineApplication([PlainController]);
  server.on('rejected', () => undefined);
  const client = new LineConversation(server);
  const send = async (first: number): Promise<void> => {
    for (let at = first; at < first + 10_000; at += 100) {
      const names = Array.from({ length: 100 }, (_, index) => `${at + index}${'x'.repeat(500)}`);
      client.send(...names.flatMap((name) => [name, `FIRST ${name}`, `SET ${name} ${name}`]));
      for (let line = 0; line < 300; line++) await client.next();
    }
    collectGarbage();
  };
  await send(0);
  const before = process.memoryUsage().heapUsed;
  await send(10_000); // 15 MB of text
  await vi.waitUntil(
    () => {
      collectGarbage();
      return process.memoryUsage().heapUsed - before < 5_000_000;
    },
    { timeout: 10_000 },
  );
});

describe('A line of a mebibyte', () => {
  const SIZE = 1_048_576;
  const full = (head: string, body: string, tail = ''): string =>
    head +
    body.repeat(Math.floor((SIZE - head.length - tail.length) / Buffer.byteLength(body))) +
    tail;

  // Were any of these quadratic, it would take minutes: far longer than a test may.
  it.each([
    ['letters', 'x', ''],
    ['letters of both cases', 'aB', ''],
    ['blanks inside', ' ', 'x'],
    ['tabs and blanks', '\t ', 'x'],
    ['blanks of Unicode', '\u2003', 'x'],
    ['words', 'a ', ''],
    ['quotes', '"', ''],
    ['quoted words', '"" ', ''],
    ['quotes and blanks', '" ', ''],
    ['backslashes', '\\', ''],
    ['escaped quotes', '\\"', ''],
    ['escaped backslashes that end', '\\\\', '"'],
    ['escapes that are none', '\\u', ''],
    ['escapes', '\\u0041', '"'],
    ['names of commands', 'SET ', ''],
    ['NUL', '\0', 'x'],
    ['carriage returns', '\r', 'x'],
  ])(
    'is answered in one line, in time that grows with its length: %s',
    async (_what, body, tail) => {
      const options = { ignoreCase: true, maxLineBytes: SIZE };
      const server = await prepareLineApplication([PlainController], [], undefined, options);
      const heads = ['', '"', 'TIME ', 'COUNT ', 'COUNT "', 'MEASURE ', 'MEASURE "', 'NOTE '];
      const lines = heads.map((head) => full(head, body, tail));
      const told = await talk(server, ...lines, 'TIME');
      expect(told).toHaveLength(lines.length + 1);
      expect(told.at(-1)).toBe('now');
      expect(Math.max(...told.map((line) => line.length))).toBeLessThan(100);
    },
  );
});

describe('A long line that comes byte by byte', () => {
  // Were all of it looked at with each byte, this would take a minute.
  it.each(['x', ' '])(
    'costs what its bytes cost, also where it may be unfinished: %j',
    async (body) => {
      const options = { lineGraceMs: 60_000, maxLineBytes: 1_048_576 };
      const server = await prepareLineApplication([PlainController], [], undefined, options);
      const client = new LineConversation(server);
      const byte = Buffer.from(body);
      for (let sent = 0; sent < 250_000; sent++) client.write(byte);
      client.write('x\nTIME\n');
      expect(await client.next()).toMatch(/^UNKNOWN COMMAND/);
      expect(await client.next()).toBe('now');
    },
  );
});

const FORGED = 'a\r\nFORGED\n\rFORGED\0FORGED\r\n\r\n';
const ONE_LINE = 'a FORGED FORGED FORGED ';

@Catch()
class TellingFilter implements ExceptionFilter {
  catch(): Observable<string> {
    return of(FORGED);
  }
}

@Controller()
class ForgingController {
  @Command('REPLY')
  reply(): LineReply {
    return FORGED;
  }

  @Command('LINES')
  lines(): LineReply {
    return [FORGED, FORGED];
  }

  @Command('LATE')
  async late(): Promise<LineReply> {
    return FORGED;
  }

  @Command('STREAM')
  stream(): LineStream {
    return from([FORGED, FORGED]);
  }

  @Command('GENERATOR')
  async *generator(): AsyncGenerator<string> {
    yield FORGED;
  }

  @Command('RPC')
  rpc(): LineReply {
    throw new RpcException(FORGED);
  }

  @Command('HTTP')
  http(): LineReply {
    throw new BadRequestException([FORGED, FORGED]);
  }

  @Command('STREAM FAILS')
  streamFails(): LineStream {
    return throwError(() => new RpcException(FORGED));
  }

  @Command('FILTERED')
  @UseFilters(TellingFilter)
  filtered(): LineReply {
    throw new Error('why');
  }

  @Command('CLOSE')
  close(): LineReply {
    return closeWith(FORGED);
  }

  @Command('THROW CLOSING')
  closing(): LineReply {
    throw new ClosingException(FORGED);
  }
}

@Injectable()
class ForgingDoor {
  @OnConnect()
  welcome(connection: LineConnection): LineReply {
    connection.push(FORGED);
    return FORGED;
  }
}

describe('CR, LF and NUL are blanks', () => {
  const prepare = (options: LineServerOptions = {}): Promise<LineServer> =>
    prepareLineApplication([ForgingController], [], undefined, options);

  it.each([
    ['a reply', 'REPLY', [ONE_LINE]],
    ['several lines', 'LINES', [ONE_LINE, ONE_LINE]],
    ['a late reply', 'LATE', [ONE_LINE]],
    ['an Observable', 'STREAM', [ONE_LINE, ONE_LINE]],
    ['a generator', 'GENERATOR', [ONE_LINE]],
    ['an RpcException', 'RPC', [`ERROR: ${ONE_LINE}`]],
    ['an HttpException', 'HTTP', [`ERROR: ${ONE_LINE}; ${ONE_LINE}`]],
    ['an Observable that fails', 'STREAM FAILS', [`ERROR: ${ONE_LINE}`]],
    ['a filter', 'FILTERED', [ONE_LINE]],
    ['a last line', 'CLOSE', [ONE_LINE]],
    ['a ClosingException', 'THROW CLOSING', [`ERROR: ${ONE_LINE}`]],
  ])('in %s', async (_what, line, told) => {
    expect(await talk(await prepare(), line)).toEqual(told);
  });

  it('in a greeting, a welcome and a push', async () => {
    const server = await prepareLineApplication([ForgingController], [ForgingDoor], undefined, {
      greeting: [FORGED, FORGED],
    });
    const told = await talk(server);
    expect(told.length).toBeGreaterThanOrEqual(4);
    expect(new Set(told)).toEqual(new Set([ONE_LINE]));
  });

  it('in the last line of a conversation that the server ends', async () => {
    const server = await prepare();
    const client = new LineConversation(server);
    client.connection.end('quit', FORGED);
    expect(await client.rest()).toEqual([ONE_LINE]);
  });

  it('in every word of an error line', async () => {
    const say = (): string => FORGED;
    const words = {
      ...ENGLISH,
      unknownCommand: say,
      lineTooLong: say,
      wrongArguments: say,
      rejected: say,
      badQuoting: FORGED,
    };
    const options = { words, maxLineBytes: 20 };
    const controllers = [PlainController, ForgingController];
    const server = await prepareLineApplication(controllers, [], undefined, options);
    const lines = ['what', 'x'.repeat(21), 'SET', 'FIRST "', 'RPC'];
    expect(await talk(server, ...lines)).toEqual(lines.map(() => ONE_LINE));
  });
});

@Controller()
class EchoingController {
  @UnknownCommand()
  echo(@RawLine() line: string): LineReply {
    return line;
  }
}

describe('A line costs the server no more than it says', () => {
  it.each([
    ['nothing at all', '\n', 'UNKNOWN COMMAND. Use TIME, COUNT, SET, MEASURE, FIRST or NOTE.'],
    ['no command', 'x\n', 'UNKNOWN COMMAND. Use TIME, COUNT, SET, MEASURE, FIRST or NOTE.'],
    ['no text', '\xFE\x80\n', 'UNKNOWN COMMAND. Use TIME, COUNT, SET, MEASURE, FIRST or NOTE.'],
    ['too much', `${'x'.repeat(65)}\n`, 'LINE TOO LONG. At most 64 bytes.'],
    ['a word too few', 'SET\n', 'WRONG ARGUMENTS. Use SET <key> [value].'],
    ['an open quote', 'FIRST "\n', 'UNBALANCED QUOTES.'],
  ])('one error line for %s, with nothing of it inside', async (_what, line, told) => {
    const { connect } = await startLineApplication([PlainController], { maxLineBytes: 64 });
    const client = await connect();
    client.send(Buffer.from(line.repeat(1_000), 'latin1')).end();
    expect(await client.transcript()).toBe(`${told}\r\n`.repeat(1_000));
  });

  it('one error line however much too long, and whatever else it could be', async () => {
    const { connect } = await startLineApplication([PlainController], { maxLineBytes: 64 });
    const client = await connect();
    client.send(`${'TIME '.repeat(100_000)}\n`).end();
    expect(await client.transcript()).toBe('LINE TOO LONG. At most 64 bytes.\r\n');
  });

  it('no byte more than came, for what telnet clients negotiate', async () => {
    const { connect } = await startLineApplication([PlainController]);
    const client = await connect();
    const options = Array.from({ length: 256 }, (_, option) =>
      [0xfb, 0xfc, 0xfd, 0xfe].flatMap((verb) => [0xff, verb, option]),
    );
    const commands = Array.from({ length: 0xfa - 0xf0 }, (_, at) => [0xff, 0xf0 + at]);
    const sent = Buffer.from([...options, ...commands].flat());
    client.send(sent).end();
    const told = await client.transcript();
    expect(told.length).toBeLessThan(sent.length);
    expect(told).not.toContain('\n');
  });

  it('itself where it is echoed, which is one line', async () => {
    const { connect } = await startLineApplication([EchoingController]);
    const client = await connect();
    client.send('a\rb\0c\v\f\u0085\u2028d\n').end();
    expect(Buffer.from(await client.transcript(), 'latin1').toString()).toBe(
      'a b c\v\f\u0085\u2028d\r\n',
    );
  });
});
