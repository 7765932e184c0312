import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { CLOSE } from '../line-transport/index.js';
import { ClockService, TIME_ZONE } from './clock.service.js';
import { TimeController } from './time.controller.js';
import { TimeModule } from './time.module.js';
import { describeReply, WORDS } from './time-protocol.js';

describe('TimeController', () => {
  it('answers TIME with the time of day', () => {
    const clock = { timeOfDay: () => '06:14:20' } as ClockService;
    expect(new TimeController(clock).time()).toBe('JAM 06:14:20');
  });

  it('answers QUIT by closing', () => {
    expect(new TimeController(new ClockService()).quit()).toBe(CLOSE);
  });

  it('is given its clock by Nest', async () => {
    const module = await Test.createTestingModule({ imports: [TimeModule] })
      .overrideProvider(ClockService)
      .useValue({ timeOfDay: () => '23:59:59' })
      .compile();
    expect(module.get(TimeController).time()).toBe('JAM 23:59:59');
  });

  it('tells the time of the zone that the application injects', async () => {
    const module = await Test.createTestingModule({
      imports: [TimeModule.forRootAsync({ useFactory: () => 'Asia/Jakarta' })],
    }).compile();
    expect(module.get(TIME_ZONE)).toBe('Asia/Jakarta');
    expect(module.get(TimeController).time()).toMatch(/^JAM ([01]\d|2[0-3])(:[0-5]\d){2}$/);
  });
});

describe('The words of the time protocol', () => {
  it('are Indonesian', () => {
    const { id } = WORDS;
    expect(id.unknownCommand(['TIME', 'QUIT'])).toBe(
      'PERINTAH TIDAK DIKENALI. Gunakan TIME atau QUIT.',
    );
    expect(id.unknownCommand(['TIME', 'DATE', 'QUIT'])).toBe(
      'PERINTAH TIDAK DIKENALI. Gunakan TIME, DATE atau QUIT.',
    );
    expect(id.lineTooLong(1024)).toBe('BARIS TERLALU PANJANG. Maksimal 1024 byte.');
    expect(id.serverFull).toBe('SERVER PENUH. Coba lagi nanti.');
    expect(id.idleTimeout).toBe('WAKTU TUNGGU HABIS.');
    expect(id.serverError).toBe('KESALAHAN SERVER.');
  });

  it('are English too', () => {
    const { en } = WORDS;
    expect(en.unknownCommand(['TIME', 'QUIT'])).toBe('UNKNOWN COMMAND. Use TIME or QUIT.');
    expect(en.lineTooLong(1024)).toBe('LINE TOO LONG. At most 1024 bytes.');
    expect(en.serverFull).toBe('SERVER FULL. Try again later.');
    expect(en.idleTimeout).toBe('TIMED OUT.');
    expect(en.serverError).toBe('SERVER ERROR.');
  });

  it('say in the log which time was sent, and leave other replies to the log', () => {
    expect(describeReply('JAM 06:14:20', 'id')).toBe("waktu '06:14:20'");
    expect(describeReply('JAM 06:14:20', 'en')).toBe("time '06:14:20'");
    expect(describeReply('TANGGAL 2026-11-22', 'id')).toBeUndefined();
  });
});
