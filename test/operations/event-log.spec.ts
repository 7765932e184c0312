import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Controller } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Arg, Command, type LineServerOptions } from '../../src/line-transport/index.js';
import { readSettings, settings } from '../../src/operations/config/settings.js';
import { DESCRIBE_REPLY, EventLog } from '../../src/operations/logging/event-log.js';
import { createLog, LOG } from '../../src/operations/logging/log.js';
import { LogOutput } from '../../src/operations/logging/log-output.js';
import {
  type LineApplication,
  nextEvent,
  startLineApplication,
} from '../support/line-application.js';
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
  const stream = new PassThrough({ encoding: 'utf8' });
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
    written: () =>
      String(stream.read() ?? '')
        .replaceAll(/^.{23} - \[SERVER\] - /gm, '')
        .replaceAll(/\('127\.0\.0\.1', \d+\)/g, 'CLIENT')
        .split('\n')
        .slice(0, -1),
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

  it('warns of a variable that was probably meant for the service', async () => {
    vi.stubEnv('IDLE_TIMEOUT', '5');
    onTestFinished(() => {
      vi.unstubAllEnvs();
    });
    const { written } = await startLogged();
    expect(written()[0]).toBe('Variabel IDLE_TIMEOUT tidak dikenal. Maksudnya IDLE_TIMEOUT_MS?');
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
