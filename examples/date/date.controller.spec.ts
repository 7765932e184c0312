/**
 * DATE, as a plain method and on the wire beside the time service's own commands.
 */
import type { AddressInfo } from 'node:net';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WORDS } from '../../src/index.js';
import { LineServer } from '../../src/line-transport/index.js';
import { TestClient } from '../../test/support/line-client.js';
import { DateController } from './date.controller.js';
import { DateModule } from './date.module.js';

describe('DateController', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells the day of its zone, also when it is another day elsewhere', () => {
    vi.useFakeTimers({ now: new Date('2026-12-31T18:30:00Z'), toFake: ['Date'] });
    expect(new DateController('Etc/UTC').date()).toBe('TANGGAL 2026-12-31');
    expect(new DateController('Asia/Jakarta').date()).toBe('TANGGAL 2027-01-01');
  });

  it('tells the local day where no zone is given', () => {
    vi.useFakeTimers({ now: new Date(2026, 1, 3, 23, 59, 59), toFake: ['Date'] });
    expect(new DateController().date()).toBe('TANGGAL 2026-02-03');
  });
});

describe('the date example', () => {
  it('answers DATE beside TIME, and names it among the known commands', async () => {
    const client = await TestClient.connect(await startExample());
    client.end('DATE\r\nTIME\r\nWHAT\r\nQUIT\r\n');
    expect(await client.line()).toMatch(/^TANGGAL \d{4}-\d\d-\d\d$/);
    expect(await client.line()).toMatch(/^JAM \d\d:\d\d:\d\d$/);
    expect(await client.transcript()).toBe(
      'PERINTAH TIDAK DIKENALI. Gunakan DATE, TIME atau QUIT.\r\n',
    );
  });
});

/** The example's own module, on a free port. */
async function startExample(): Promise<number> {
  const module = await Test.createTestingModule({ imports: [DateModule] })
    .overrideProvider(LineServer)
    .useValue(new LineServer({ host: '127.0.0.1', words: WORDS.id }))
    .compile();
  const app = module.createNestMicroservice<AsyncMicroserviceOptions>({
    inject: [LineServer],
    useFactory: (strategy: LineServer) => ({ strategy }),
    logger: false,
  });
  onTestFinished(() => app.close());
  const { port }: AddressInfo = await app.listen();
  return port;
}
