/** A line server in the health checks of an application that uses Terminus. */
import { Transport } from '@nestjs/microservices';
import { HealthCheckService, MicroserviceHealthIndicator, TerminusModule } from '@nestjs/terminus';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LineClient, type LineClientOptions } from '../../src/line-transport/index.js';
import { freePort } from '../support/free-port.js';
import { startLineApplication } from '../support/line-application.js';
import { EchoController } from './controllers.js';

/** Terminus' types ask for a number as transport; `customClass` decides. */
interface LinePing {
  transport: Transport.TCP;
  customClass: typeof LineClient;
  options: LineClientOptions;
}

/** Asks Terminus about the server at this port, as a health controller does. */
async function check(port: number): Promise<{ status: string; details: object }> {
  const module = await Test.createTestingModule({
    imports: [TerminusModule.forRoot({ logger: false })],
  }).compile();
  onTestFinished(() => module.close());
  const microservice = await module.resolve(MicroserviceHealthIndicator);
  const health = await module.resolve(HealthCheckService);
  return health
    .check([
      () =>
        microservice.pingCheck<LinePing>('bank', {
          transport: Transport.TCP,
          customClass: LineClient,
          options: { host: '127.0.0.1', port },
        }),
    ])
    .catch((error: { getResponse(): { status: string; details: object } }) => error.getResponse());
}

describe("Terminus' ping of a line server", () => {
  it('is up when it listens, and leaves no connection behind', async () => {
    const { port, server } = await startLineApplication([EchoController]);
    const left = new Promise((resolve) => server.on('disconnection', resolve));
    expect(await check(port)).toMatchObject({ status: 'ok', details: { bank: { status: 'up' } } });
    await left;
    expect(server.stats().connections).toMatchObject({ open: 0, accepted: 1 });
  });

  it('is down when nobody listens', async () => {
    expect(await check(await freePort())).toMatchObject({
      status: 'error',
      details: { bank: { status: 'down' } },
    });
  });
});
