import { join } from 'node:path';
import { Writable } from 'node:stream';
import { Controller } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  Arg,
  Args,
  Command,
  type LineServerOptions,
  quoteWord,
} from '../../src/line-transport/index.js';
import { readSettings, settings } from '../../src/operations/config/settings.js';
import { DESCRIBE_REPLY, EventLog } from '../../src/operations/logging/event-log.js';
import { createLog, LOG } from '../../src/operations/logging/log.js';
import { LogOutput } from '../../src/operations/logging/log-output.js';
import {
  type LineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
import { CONTROL_SEQUENCES, FORGED_LINES, PRINTABLE } from '../support/hostile.js';
import { TestClient } from '../support/line-client.js';
import { temporaryFolder } from '../support/temporary-folder.js';

@Controller()
class TestController {
  @Command('GREET')
  greet(): string[] {
    return ["it's", 'me\u0007'];
  }

  @Command('FAIL')
  fail(): string {
    throw new Error('cannot read\n2026-11-22 \u001B[2J');
  }

  @Command('REJECT', { args: 'words' })
  reject(@Arg(0) word: string): string {
    throw new RpcException(`no ${word}`);
  }

  @Command('FAIL ON', { args: 'words' })
  failOn(@Arg(0) word: string): string {
    throw new TypeError(`cannot read ${word}`);
  }

  @Command('THROW', { args: 'words' })
  throw(@Arg(0) word: string): string {
    // oxlint-disable-next-line typescript/only-throw-error -- as libraries do
    throw { word };
  }

  @Command('ECHO', { args: 'words' })
  echo(@Arg(0) word: string): string {
    return word;
  }

  @Command('REJECT REST', { args: 'rest' })
  rejectRest(@Args() rest: string): string {
    throw new RpcException(rest);
  }

  @Command('FAIL REST', { args: 'rest' })
  failRest(@Args() rest: string): string {
    throw new Error(rest);
  }
}

/** Waits until the conversation is over, and the log has said so. */
async function end(application: LineApplication, client: TestClient): Promise<void> {
  const over = nextEvent(application.server, 'disconnection');
  client.end();
  await over;
}

/** An application whose log is told what to call the reply "known", and what its log says. */
async function startLogged(
  env: NodeJS.ProcessEnv = {},
  options: LineServerOptions = {},
): Promise<{
  application: LineApplication;
  written: () => string[];
}> {
  const given = readSettings(env);
  let text = '';
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      text += chunk;
      done();
    },
  });
  const log = createLog(
    { level: given.LOG_LEVEL, format: given.LOG_FORMAT },
    new LogOutput(stream, () => ''),
  );
  const application = await startLineApplication([TestController], options, [
    EventLog,
    { provide: LOG, useValue: log },
    { provide: settings.KEY, useValue: given },
    { provide: DESCRIBE_REPLY, useValue: () => undefined },
  ]);
  return {
    application,
    written: () => {
      const lines = text
        .replaceAll(/^.{23} - \[SERVER\] - /gm, '')
        .replaceAll(/\('127\.0\.0\.1', \d+\)/g, 'CLIENT')
        .split('\n')
        .slice(0, -1);
      text = '';
      return lines;
    },
  };
}

describe('EventLog', () => {
  it('quotes every line of a reply that the application has no words for', async () => {
    const { application, written } = await startLogged();
    const client = await application.connect();
    client.send('GREET\n');
    await client.lines(2);
    expect(written().slice(3)).toEqual([
      "Menerima pesan dari CLIENT: 'GREET'",
      "Mengirim balasan 'it\\'s' ke CLIENT",
      "Mengirim balasan 'me\\x07' ke CLIENT",
    ]);
  });

  it('says which connections were not let in, and of a probe only to those who ask for debug lines', async () => {
    const options = { proxyProtocolTrust: ['127.0.0.1'], denyAddresses: ['203.0.113.7'] };
    for (const [level, ofProbe] of [
      ['info', []],
      ['debug', ['Proksi CLIENT memeriksa apakah server mendengarkan.']],
    ] as const) {
      const { application, written } = await startLogged({ LOG_LEVEL: level }, options);
      const { connect, port } = application;
      written();
      await (await connect()).end().ended();
      await (await connect()).send('TIME\n').ended();
      await (await connect()).send('PROXY TCP4 203.0.113.7 192.0.2.1 40036 45000\r\n').ended();
      const other = { host: '127.0.0.1', port, localAddress: '127.0.0.2' };
      await (await TestClient.connect(other)).ended();
      expect(written()).toEqual([
        ...ofProbe,
        'Koneksi dari proksi CLIENT ditolak: header PROXY tidak sah.',
        "Koneksi dari ('203.0.113.7', 40036) ditolak: alamat ini tidak diizinkan.",
        expect.stringMatching(/^Koneksi dari \('127\.0\.0\.2', \d+\) ditolak: bukan proksi/),
      ]);
    }
  });

  it.each([
    ['id', "Gagal menjawab 'FAIL' dari CLIENT: "],
    ['en', "Failed to answer 'FAIL' from CLIENT: "],
  ])('says on one line why a handler failed (%s)', async (locale, words) => {
    const { application, written } = await startLogged({ LOCALE: locale, LOG_REQUESTS: 'false' });
    const client = await application.connect();
    client.send('FAIL\n');
    expect(await client.line()).toBe('SERVER ERROR.');
    const [line, ...more] = written().slice(3);
    expect(line).toContain(words);
    expect(line).toMatch(/cannot read.*2026-11-22 .*x1[bB]\[2J.*at TestController\.fail/);
    expect(line).not.toContain('\u001B');
    expect(more).toEqual([]);
  });

  it('says on one line why a line was rejected, whatever its arguments hold', async () => {
    const { application, written } = await startLogged({ LOG_REQUESTS: 'false' });
    const client = await application.connect();
    client.send('REJECT "a\\r\\n2026-11-22 \\u001b[2J\\u0000b"\n');
    expect(await client.line()).toBe('ERROR: no a 2026-11-22 \u001B[2J b');
    expect(written().slice(3)).toEqual([
      String.raw`Menolak 'REJECT "a\\r\\n2026-11-22 \\u001b[2J\\u0000b"' dari CLIENT: no a | 2026-11-22 \x1b[2J\x00b`,
    ]);
  });

  it.each([
    ['id', 'Soket server gagal: too many open files.'],
    ['en', 'Server socket failed: too many open files.'],
  ])('says that the listening socket failed (%s)', async (locale, words) => {
    const { application, written } = await startLogged({ LOCALE: locale });
    written();
    application.server.unwrap().emit('error', new Error('too many open files'));
    expect(written()).toEqual([words]);
  });

  it('says how many sessions a shutdown had to cut', async () => {
    const { application, written } = await startLogged({ LOG_REQUESTS: 'false' });
    const client = await application.connect();
    client.socket.pause();
    client.send(`first\n${'GREET\n'.repeat(2_000_000)}`);
    await nextEvent(application.server, 'protocolError');
    await application.app.close();
    expect(written().slice(-4)).toEqual([
      'Server berhenti menerima koneksi. 1 sesi diselesaikan...',
      'Koneksi dengan CLIENT ditutup karena server berhenti.',
      'Sesi untuk klien CLIENT telah berhenti.',
      'Server berhenti. 1 sesi diputus.',
    ]);
    client.socket.destroy();
  });

  it('names the path of a Unix domain socket', async () => {
    const path = join(temporaryFolder(), 'socket');
    const { written } = await startLogged({}, { host: undefined, path });
    expect(written()).toEqual([`Server aktif dan mendengarkan di ${path}...`]);
  });

  it('says neither lines nor replies when it is not to log them', async () => {
    for (const env of [{ LOG_REQUESTS: 'false' }, { LOG_LEVEL: 'warn' }, { LOG_LEVEL: 'silent' }]) {
      const { application, written } = await startLogged(env);
      const client = await application.connect();
      client.send('GREET\n');
      await client.lines(2);
      expect(written().filter((line) => line.includes('GREET'))).toEqual([]);
    }
  });
});

describe('What one client adds to the log', () => {
  /** The clock of the budget stands still until the test lets it go on. */
  function stopClock(): void {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
  }

  it('is what LOG_CLIENT_RATE allows, and the log says how many lines it lacks', async () => {
    stopClock();
    const { application, written } = await startLogged({ LOG_CLIENT_RATE: '1' });
    const client = await application.connect();
    client.send('x\n'.repeat(20));
    await client.lines(20);
    const flood = Array.from({ length: 5 }, () => [
      "Menerima pesan dari CLIENT: 'x'",
      'Perintah tidak valid dari CLIENT.',
    ]);
    expect(written().slice(3)).toEqual(flood.flat());
    vi.advanceTimersByTime(2_000);
    client.send('GREET\n');
    await client.lines(2);
    expect(written()).toEqual([
      '30 baris log tentang pesan dari CLIENT tidak ditulis: terlalu banyak.',
      "Menerima pesan dari CLIENT: 'GREET'",
      "Mengirim balasan 'it\\'s' ke CLIENT",
    ]);
    client.send('REJECT x\n');
    await end(application, client);
    expect(written()).toEqual([
      '3 baris log tentang pesan dari CLIENT tidak ditulis: terlalu banyak.',
      'Klien CLIENT menutup koneksi tanpa perintah QUIT.',
      'Sesi untuk klien CLIENT telah berhenti.',
    ]);
  });

  it('is in JSON lines an event with its count, which a level of "warn" keeps', async () => {
    stopClock();
    const { application, written } = await startLogged({
      LOG_CLIENT_RATE: '1',
      LOG_FORMAT: 'json',
      LOG_LEVEL: 'warn',
    });
    const client = await application.connect();
    client.send('x\n'.repeat(12));
    await end(application, client);
    const entries = written().map((line): unknown => JSON.parse(line));
    const { localPort: remotePort } = client.socket;
    expect(entries.slice(10)).toMatchObject([
      { event: 'linesOmitted', level: 'warn', count: 2, connectionId: 1, remotePort },
      { event: 'closedByClient' },
    ]);
  });

  it('takes nothing from other clients', async () => {
    stopClock();
    const { application, written } = await startLogged({ LOG_CLIENT_RATE: '1' });
    const loud = await application.connect();
    loud.send('x\n'.repeat(20));
    await loud.lines(20);
    const quiet = await application.connect();
    written();
    quiet.send('x\n');
    await quiet.line();
    expect(written().slice(-2)).toEqual([
      "Menerima pesan dari CLIENT: 'x'",
      'Perintah tidak valid dari CLIENT.',
    ]);
  });

  it('lacks no defect, whatever else it lacks', async () => {
    stopClock();
    const { application, written } = await startLogged({ LOG_CLIENT_RATE: '1' });
    const client = await application.connect();
    client.send('FAIL\n'.repeat(50));
    await client.lines(50);
    const lines = written();
    expect(lines.filter((line) => line.startsWith('Gagal menjawab'))).toHaveLength(50);
    expect(lines.filter((line) => line.startsWith('Menerima pesan'))).toHaveLength(10);
  });

  it('is everything when LOG_CLIENT_RATE is 0', async () => {
    stopClock();
    const { application, written } = await startLogged({ LOG_CLIENT_RATE: '0' });
    const client = await application.connect();
    client.send('x\n'.repeat(20_000));
    await end(application, client);
    expect(written()).toHaveLength(3 + 2 * 20_000 + 2);
  });

  it.each(['text', 'json'])(
    'is less than 16 KiB for each event of a line of 1 MiB (%s)',
    async (format) => {
      const env = { LOG_FORMAT: format, LOG_CLIENT_RATE: '0' };
      const { application, written } = await startLogged(env, { maxLineBytes: 1_048_576 });
      const client = await application.connect();
      const texts = ['x', '\u0001', '\u202E', '時', '\u{E0041}', '\\', ' ,'].map((text) => {
        const times = Math.floor(1_048_000 / Buffer.byteLength(text));
        return `a${text.repeat(times)}z`;
      });
      const lines = texts.flatMap((text) => [text, `REJECT REST ${text}`, `FAIL REST ${text}`]);
      for (const line of lines) {
        client.send(`${line}\n`);
        await client.line();
      }
      const sizes = written().map((line) => Buffer.byteLength(line));
      expect(sizes.length).toBe(3 + 2 * lines.length);
      expect(Math.max(...sizes)).toBeGreaterThan(2_000);
      expect(Math.max(...sizes)).toBeLessThan(16_384);
    },
  );
});

describe.each(['text', 'json'])('In a log as %s', (format) => {
  it('no handler, and nothing it throws, passes on what a client sent as more than text', async () => {
    const { application, written } = await startLogged({ LOG_FORMAT: format });
    const client = await application.connect();
    const commands = ['ECHO', 'REJECT', 'FAIL ON', 'THROW'];
    const words = CONTROL_SEQUENCES.flatMap(([, text]) =>
      FORGED_LINES.map((forged) => quoteWord(`${text}${forged}${text}`)),
    );
    const sent = words.flatMap((word) => commands.map((command) => `${command} ${word}\n`));
    client.send(sent.join(''));
    await client.lines(sent.length);
    const lines = written();
    expect(lines).toHaveLength(3 + 2 * sent.length);
    for (const line of lines) expect(line).toMatch(PRINTABLE);
  });
});
