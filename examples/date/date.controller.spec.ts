/**
 * DATE, as a plain method and on the wire beside the time service's own commands.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startExample } from '../../test/support/example.js';
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
    const { connect } = await startExample(DateModule);
    const client = await connect();
    client.end('DATE\r\nTIME\r\nWHAT\r\nQUIT\r\n');
    expect(await client.line()).toMatch(/^TANGGAL \d{4}-\d\d-\d\d$/);
    expect(await client.line()).toMatch(/^JAM \d\d:\d\d:\d\d$/);
    expect(await client.transcript()).toBe(
      'PERINTAH TIDAK DIKENALI. Gunakan DATE, TIME atau QUIT.\r\n',
    );
  });
});
