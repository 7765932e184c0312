import { describe, expect, it } from 'vitest';
import { TestClient } from '../support/line-client.js';
import { type Service, startService } from '../support/service.js';
import { connectAtLast, freePort } from '../support/free-port.js';
import { CONTROL_SEQUENCES, FORGED_LINES, PRINTABLE } from '../support/hostile.js';

const TIMESTAMP = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - \[SERVER\] - /;
/** Lines in which the framework speaks of itself. */
const NESTS_OWN = /^\[\w+\] /;

/** What is said besides where the tests are run by root, as in a container. */
const AS_ROOT = /^(Layanan berjalan sebagai root|The service runs as root),/;

/** Every line of a text log without its timestamp; fails if one has none. */
function linesOf(service: Service): string[] {
  const lines = service.stdout.split('\n');
  expect(lines.pop()).toBe('');
  const messages = lines.map((line) => {
    expect(line).toMatch(TIMESTAMP);
    return line.replace(TIMESTAMP, '');
  });
  return messages.filter((message) => !AS_ROOT.test(message));
}

/** What the service said of its clients and itself until it was stopped, without the framework's lines. */
async function storyOf(service: Service): Promise<string[]> {
  await service.stop();
  return linesOf(service).filter((line) => !NESTS_OWN.test(line));
}

/** A client's name in the log. */
function nameOf(client: TestClient): string {
  return `('127.0.0.1', ${client.socket.localPort})`;
}

/** Ends the conversation with QUIT, and waits until the service has said so. */
async function quit(service: Service, client: TestClient): Promise<void> {
  const { localPort } = client.socket;
  client.send('QUIT\r\n');
  await client.transcript();
  client.end();
  await service.logs(new RegExp(`\\('127\\.0\\.0\\.1', ${localPort}\\) (telah berhenti|is over)`));
}

/** What the log says a client sent, between the name and the line's end. */
async function logOf(sent: string | Uint8Array, env: Record<string, string> = {}): Promise<string> {
  const service = startService(env);
  const client = await service.connect();
  const name = nameOf(client);
  client.send(sent);
  await client.line();
  await quit(service, client);
  const story = await storyOf(service);
  expect(story).toHaveLength(10);
  const received = `Menerima pesan dari ${name}: `;
  const line = story[3] ?? '';
  expect(line.slice(0, received.length)).toBe(received);
  return line.slice(received.length);
}

describe('the log of the service', () => {
  it('tells a session with the lines of the old service, in order', async () => {
    const service = startService();
    const port = await service.port();
    const client = await service.connect();
    const name = nameOf(client);
    client.send('TIME\r\n');
    const time = (await client.line()).replace('JAM ', '');
    client.send('time\r\n');
    await client.line();
    await quit(service, client);
    expect((await storyOf(service)).slice(0, -2)).toEqual([
      `Server aktif dan mendengarkan di port ${port}...`,
      `Menerima koneksi baru dari ${name}`,
      `Sesi baru untuk klien ${name} dimulai.`,
      `Menerima pesan dari ${name}: 'TIME'`,
      `Mengirim waktu '${time}' ke ${name}`,
      `Menerima pesan dari ${name}: 'time'`,
      `Perintah tidak valid dari ${name}.`,
      `Menerima pesan dari ${name}: 'QUIT'`,
      `Klien ${name} meminta keluar. Koneksi ditutup.`,
      `Sesi untuk klien ${name} telah berhenti.`,
    ]);
  });

  it('tells the same in English when LOCALE is en', async () => {
    const service = startService({ LOCALE: 'en' });
    const port = await service.port();
    const client = await service.connect();
    const name = nameOf(client);
    client.send('TIME\r\n');
    const time = (await client.line()).replace('JAM ', '');
    client.send('time\r\n');
    await client.line();
    await quit(service, client);
    expect((await storyOf(service)).slice(0, -2)).toEqual([
      `Server is up and listening on port ${port}...`,
      `Accepted a new connection from ${name}`,
      `New session for client ${name} started.`,
      `Received message from ${name}: 'TIME'`,
      `Sent time '${time}' to ${name}`,
      `Received message from ${name}: 'time'`,
      `Invalid command from ${name}.`,
      `Received message from ${name}: 'QUIT'`,
      `Client ${name} asked to quit. Connection closed.`,
      `Session for client ${name} is over.`,
    ]);
  });

  it('tells a client that closes without QUIT from one that quits', async () => {
    const service = startService();
    const client = await service.connect();
    const name = nameOf(client);
    client.end();
    await service.logs(/telah berhenti\.\n/);
    expect((await storyOf(service)).slice(3, -2)).toEqual([
      `Klien ${name} menutup koneksi tanpa perintah QUIT.`,
      `Sesi untuk klien ${name} telah berhenti.`,
    ]);
  });

  it('tells a client that cuts the connection from one that closes it', async () => {
    const service = startService();
    const client = await service.connect();
    const name = nameOf(client);
    await service.logs(/dimulai\.\n/);
    client.reset();
    await service.logs(/telah berhenti\.\n/);
    expect((await storyOf(service)).slice(3, -2)).toEqual([
      `Koneksi dengan ${name} terputus secara paksa oleh klien.`,
      `Sesi untuk klien ${name} telah berhenti.`,
    ]);
  });

  it('tells of a client that was silent too long', async () => {
    const service = startService({ IDLE_TIMEOUT_MS: '50' });
    const client = await service.connect();
    const name = nameOf(client);
    expect(await client.transcript()).toBe('WAKTU TUNGGU HABIS.\r\n');
    await service.logs(/telah berhenti\.\n/);
    expect((await storyOf(service)).slice(3, -2)).toEqual([
      `Klien ${name} terlalu lama diam. Koneksi ditutup.`,
      `Sesi untuk klien ${name} telah berhenti.`,
    ]);
  });

  it('tells of a line that is too long, once, and nothing of what it said', async () => {
    const service = startService({ MAX_LINE_BYTES: '16' });
    const client = await service.connect();
    const name = nameOf(client);
    client.send('x'.repeat(1_000));
    await client.line();
    client.send(`${'x'.repeat(1_000)}\n`);
    await quit(service, client);
    expect((await storyOf(service)).slice(3, -4)).toEqual([
      `Baris terlalu panjang dari ${name}.`,
      `Menerima pesan dari ${name}: 'QUIT'`,
    ]);
  });

  it('tells of a connection beyond the limit, and begins no session for it', async () => {
    const service = startService({ MAX_CONNECTIONS: '1' });
    const first = await service.connect();
    await service.logs(/dimulai\.\n/);
    const second = await service.connect();
    const name = nameOf(second);
    expect(await second.transcript()).toBe('SERVER PENUH. Coba lagi nanti.\r\n');
    second.end();
    await quit(service, first);
    expect((await storyOf(service)).slice(3, -5)).toEqual([
      `Koneksi dari ${name} ditolak: server penuh.`,
    ]);
  });

  it.each([
    ['id', 'Server berhenti menerima koneksi. 0 sesi diselesaikan...', 'Server berhenti.'],
    ['en', 'Server stopped accepting. 0 sessions are finishing...', 'Server stopped.'],
  ])('tells the begin and the end of a shutdown (%s)', async (locale, begin, end) => {
    const service = startService({ LOCALE: locale });
    await service.port();
    expect((await storyOf(service)).slice(1)).toEqual([begin, end]);
  });

  it('tells which sessions the shutdown has ended', async () => {
    const service = startService();
    const client = await service.connect();
    const name = nameOf(client);
    await service.logs(/dimulai\.\n/);
    const story = storyOf(service);
    client.end(await client.transcript());
    expect((await story).slice(3)).toEqual([
      'Server berhenti menerima koneksi. 1 sesi diselesaikan...',
      `Koneksi dengan ${name} ditutup karena server berhenti.`,
      `Sesi untuk klien ${name} telah berhenti.`,
      'Server berhenti.',
    ]);
  });

  it('says the zone-told time in the log as on the wire', async () => {
    const service = startService({ TIME_ZONE: 'Pacific/Kiritimati', TZ: 'UTC' });
    const client = await service.connect();
    client.send('TIME\n');
    const time = (await client.line()).replace('JAM ', '');
    const [line] = await service.logs(/.*Mengirim.*/);
    expect(line).toContain(`Mengirim waktu '${time}' ke `);
    const hour = Number(line.slice(11, 13));
    expect(Number(time.slice(0, 2))).toBe((hour + 14) % 24);
  });
});

describe('LOG_REQUESTS=false', () => {
  it('leaves out the lines received and sent, and nothing else', async () => {
    const stories = await Promise.all(
      ['true', 'false'].map(async (value) => {
        const service = startService({ LOG_REQUESTS: value });
        const client = await service.connect();
        client.send('TIME\r\n\r\nTIME\r\n');
        await client.lines(3);
        await quit(service, client);
        const lines = (await storyOf(service)).slice(0, -2);
        return lines.map((line) => line.replaceAll(/\d+(?=\)|\.\.\.)/g, '?'));
      }),
    );
    expect(stories[1]).toEqual(
      stories[0]?.filter((line) => !/^(Menerima pesan|Mengirim)/.test(line)),
    );
    expect(stories[1]).toContain("Perintah tidak valid dari ('127.0.0.1', ?).");
    expect(stories[0]).toHaveLength((stories[1]?.length ?? 0) + 6);
  });
});

describe('LOG_LEVEL=warn', () => {
  it('leaves out what is in order, the framework’s lines too', async () => {
    const port = await freePort();
    const service = startService({ LOG_LEVEL: 'warn', PORT: String(port), TIMEZONE: 'UTC' });
    await service.logs(/TIMEZONE/); // the last thing it says before it listens
    const client = await connectAtLast(port);
    const name = nameOf(client);
    client.send('TIME\r\ntime\r\n');
    await client.lines(2);
    client.end();
    await client.transcript();
    await service.stop();
    expect(linesOf(service)).toEqual([
      'Variabel TIMEZONE tidak dikenal. Maksudnya TIME_ZONE?',
      `Perintah tidak valid dari ${name}.`,
      `Klien ${name} menutup koneksi tanpa perintah QUIT.`,
    ]);
  });
});

describe('what a client sends', () => {
  it('cannot forge a line of the log', async () => {
    const forged = "x'\r2026-11-22 06:14:20,123 - [SERVER] - Server berhenti.\u2028\u0085\u000By";
    expect(await logOf(`${forged}\n`)).toBe(
      "'x\\'\\r2026-11-22 06:14:20,123 - [SERVER] - Server berhenti.\\u2028\\x85\\x0by'",
    );
  });

  it('cannot control a terminal that shows the log', async () => {
    expect(await logOf('a\u001B[2J\u001B]0;x\u0007\u009B31m\u202Eb\u200B\n')).toBe(
      "'a\\x1b[2J\\x1b]0;x\\x07\\x9b31m\\u202eb\\u200b'",
    );
  });

  it('is shown as far as it is text when it is no UTF-8', async () => {
    expect(await logOf(Buffer.from([0x54, 0xc3, 0x28, 0x80, 0xfe, 0x0a]))).toBe(
      "'T\uFFFD(\uFFFD\uFFFD'",
    );
  });

  it('cannot fill the log with one line', async () => {
    const env = { MAX_LINE_BYTES: '1048576' };
    const plain = await logOf(`${'x'.repeat(1_048_576)}\n`, env);
    expect(plain).toBe(`'${'x'.repeat(1_024)}'…`);
    const escaped = await logOf(`x${'\u0001'.repeat(1_048_574)}x\n`, env);
    expect(escaped.length).toBeLessThan(16_384);
  });
});

/** The message of each line of a log in either format, without the framework's; fails if a line has none. */
function messagesOf(service: Service, format: string): string[] {
  if (format === 'text') return linesOf(service).filter((line) => !NESTS_OWN.test(line));
  const entries = service.stdout
    .trimEnd()
    .split('\n')
    .map((line): { event: string; msg: string } => JSON.parse(line));
  return entries
    .filter(({ event, msg }) => event !== 'nest' && !AS_ROOT.test(msg))
    .map(({ msg }) => msg);
}

/** How many lines were left out, where the log says so. */
function omittedIn(log: string): number {
  const notices = log.matchAll(/(\d+) baris log tentang pesan dari \('127\.0\.0\.1', \d+\)/g);
  return Array.from(notices, ([, count]) => Number(count)).reduce((sum, count) => sum + count, 0);
}

describe.each(['text', 'json'])('in a log as %s a client', (format) => {
  it('forges no line and controls no terminal, whatever it sends', async () => {
    const service = startService({ LOG_FORMAT: format });
    const client = await service.connect();
    const name = nameOf(client);
    const sent = CONTROL_SEQUENCES.flatMap(([, text]) =>
      FORGED_LINES.map((forged) => `x'"${text}${forged}${text}\n`),
    ).join('');
    // UTF-8 for half a pair of surrogates, and bytes that are no UTF-8: C1, cut characters, a telnet command.
    const broken = Buffer.from('a\xED\xA0\x80b\x9B31mc\x85d\xC3\xE2\x80e\xFF\xF9f\n', 'latin1');
    client.send(Buffer.concat([Buffer.from(sent), broken]));
    const count = sent.split('\n').length;
    await client.lines(count);
    await quit(service, client);
    await service.stop();
    for (const line of service.stdout.split('\n')) expect(line).toMatch(PRINTABLE);
    const story = messagesOf(service, format);
    const ofLines = story.slice(3, -5);
    expect(ofLines).toHaveLength(2 * count);
    const [received, invalid] = [0, 1].map((rest) => ofLines.filter((_, at) => at % 2 === rest));
    for (const message of received ?? []) expect(message).toMatch(`Menerima pesan dari ${name}: '`);
    expect(new Set(invalid)).toEqual(new Set([`Perintah tidak valid dari ${name}.`]));
    expect(story.filter((message) => message === 'Server berhenti.')).toHaveLength(1);
  });

  it.each([
    ['short ones', 'x\n', 100_000],
    ['long ones', `${'\u0001'.repeat(1_000)}x\n`, 20_000],
  ])('adds less than 4 MiB by a flood of errors, %s', async (_what, line, count) => {
    const service = startService({ LOG_FORMAT: format });
    const client = await service.connect();
    client.send(line.repeat(count));
    await client.lines(count);
    await quit(service, client);
    await service.stop();
    expect(Buffer.byteLength(service.stdout)).toBeLessThan(4 * 1_048_576);
    const written = service.stdout.match(/Menerima pesan dari|Perintah tidak valid/g)?.length ?? 0;
    const omitted = omittedIn(service.stdout);
    expect(written).toBeGreaterThan(100);
    expect(omitted).toBeGreaterThan(100);
    expect(written + omitted).toBeGreaterThanOrEqual(2 * count);
    expect(written + omitted).toBeLessThanOrEqual(2 * count + 1); // and QUIT
  });
});

describe('LOG_FORMAT=json', () => {
  it('makes every line an object with event, level and time, the framework’s lines too', async () => {
    const service = startService({ LOG_FORMAT: 'json' });
    const [, listening] = await service.logs(/"event":"listening".*"port":(\d+)/);
    const port = Number(listening);
    const client = await service.connect();
    const from = {
      remoteAddress: '127.0.0.1',
      remotePort: client.socket.localPort,
      connectionId: 1,
    };
    client.send('TIME\r\ntime\r\n');
    await client.lines(2);
    await quit(service, client);
    await service.stop();
    const lines = service.stdout.trimEnd().split('\n');
    const objects = lines.map((line): Record<string, unknown> => JSON.parse(line));
    for (const object of objects) {
      expect(object).toMatchObject({
        event: expect.any(String),
        level: expect.stringMatching(/^(info|warn|error)$/),
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        msg: expect.any(String),
      });
    }
    const own = objects.filter(({ event }) => event !== 'nest' && event !== 'runningAsRoot');
    expect(objects.length).toBeGreaterThan(own.length);
    expect(own.map(({ time: _time, msg: _msg, ...fields }) => fields)).toEqual([
      { level: 'info', event: 'listening', address: '127.0.0.1', family: 'IPv4', port },
      { level: 'info', event: 'connectionAccepted', ...from },
      { level: 'info', event: 'conversationStarted', ...from },
      { level: 'info', event: 'lineReceived', ...from },
      { level: 'info', event: 'replySent', ...from },
      { level: 'info', event: 'lineReceived', ...from },
      { level: 'warn', event: 'unknownCommand', ...from },
      { level: 'info', event: 'lineReceived', ...from },
      { level: 'info', event: 'quit', ...from },
      { level: 'info', event: 'conversationOver', ...from },
      { level: 'info', event: 'shutdownStarted', open: expect.any(Number) },
      { level: 'info', event: 'shutdownFinished', cut: 0 },
    ]);
  });

  it('counts connections from one, and names none that was refused', async () => {
    const service = startService({ LOG_FORMAT: 'json', MAX_CONNECTIONS: '1' });
    await service.logs(/"event":"listening".*"port":(\d+)/);
    const first = await service.connect();
    await service.logs(/conversationStarted/);
    const second = await service.connect();
    const { localPort: remotePort } = second.socket;
    await second.transcript();
    second.end();
    const [refused] = await service.logs(/.*connectionRefused.*/);
    expect(JSON.parse(refused)).not.toHaveProperty('connectionId');
    expect(JSON.parse(refused)).toMatchObject({ level: 'warn', remotePort });
    first.reset();
    const [reset] = await service.logs(/.*connectionReset.*/);
    expect(JSON.parse(reset)).toMatchObject({ level: 'error', connectionId: 1 });
    const third = await service.connect();
    const [accepted] = await service.logs(/.*connectionAccepted.*"connectionId":2.*/);
    expect(JSON.parse(accepted)).toMatchObject({ remotePort: third.socket.localPort });
  });
});

describe('a service that keeps too much for its clients', () => {
  it('says so, and when it is over', async () => {
    const service = startService({
      LOG_FORMAT: 'json',
      LOG_REQUESTS: 'false',
      MAX_BUFFERED_BYTES: '65536',
      MAX_UNREAD_BYTES: '1048576',
      MAX_PENDING_BYTES: '1048576',
    });
    const client = await service.connect();
    client.socket.on('error', () => undefined);
    client.socket.pause();
    client.send('TIME\n'.repeat(2_000_000));
    await service.logs(/"level":"warn",[^\n]*"event":"strained","bufferedBytes":\d+/);
    client.reset();
    await service.logs(/"level":"info",[^\n]*"event":"relieved","bufferedBytes":\d+/);
    await service.stop();
  });
});
