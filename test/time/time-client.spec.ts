/** Asking the time service from another Nest application. */
import { ClientsModule } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TIME_SERVICE, TimeClient, TimeController } from '../../src/index.js';
import { ClockService } from '../../src/time/clock.service.js';
import { LineClient } from '../../src/line-transport/index.js';
import { timeOfDayIn } from '../../src/time/time-protocol.js';
import { startLineApplication } from '../support/line-application.js';
import { RawServer } from '../support/raw-server.js';

/** The client as another application has it. */
async function timeClient(port: number): Promise<TimeClient> {
  const options = { host: '127.0.0.1', port };
  const module = await Test.createTestingModule({
    imports: [ClientsModule.register([{ name: TIME_SERVICE, customClass: LineClient, options }])],
    providers: [TimeClient],
  }).compile();
  await module.init();
  onTestFinished(() => module.close());
  return module.get(TimeClient);
}

describe('A time client', () => {
  it("tells the service's time of day", async () => {
    const clock = { provide: ClockService, useValue: { timeOfDay: () => '06:14:20' } };
    const { port } = await startLineApplication([TimeController], {}, [clock]);
    const client = await timeClient(port);
    expect(await client.timeOfDay()).toBe('06:14:20');
    expect(await client.timeOfDay()).toBe('06:14:20');
  });

  it('asks with one line each time, and not before', async () => {
    const server = await RawServer.listen();
    const client = await timeClient(server.port);
    expect(server.connections).toBe(0);
    const time = client.timeOfDay();
    const peer = await server.accept();
    expect(await peer.line()).toBe('TIME');
    expect(peer.received).toBe('');
    peer.send('JAM 23:59:59\r\n');
    expect(await time).toBe('23:59:59');
  });

  it('takes nothing for a time that is none', async () => {
    const server = await RawServer.listen();
    const client = await timeClient(server.port);
    const time = client.timeOfDay();
    (await server.accept()).send('SERVER PENUH. Coba lagi nanti.\r\n');
    await expect(time).rejects.toThrow(
      'The reply to TIME was no time but "SERVER PENUH. Coba lagi nanti.".',
    );
  });

  it('fails when there is no service', async () => {
    const server = await RawServer.listen();
    const client = await timeClient(server.port);
    await server.stop();
    await expect(client.timeOfDay()).rejects.toMatchObject({ code: 'ERR_LINE_CONNECT' });
  });
});

describe('The time in a reply', () => {
  it.each(['00:00:00', '09:59:59', '19:00:00', '23:59:59'])('is %s', (time) => {
    expect(timeOfDayIn(`JAM ${time}`)).toBe(time);
  });

  it.each(['JAM 24:00:00', 'JAM 6:14:20', 'JAM 06:60:00', 'JAM 06:14:20 ', 'jam 06:14:20', ''])(
    'is not in %j',
    (reply) => {
      expect(timeOfDayIn(reply)).toBeUndefined();
    },
  );
});
