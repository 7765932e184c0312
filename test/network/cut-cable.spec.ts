/** A cable is cut, and nobody is told: what the service does with clients that are no longer there, or are back in a moment. */
import { setTimeout as forSomeTime } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { CLIENT, Network, noNetwork, SERVER } from '../support/network.js';

const JAM = /^JAM [\d:]{8}$/;
const ERROR = 'PERINTAH TIDAK DIKENALI. Gunakan TIME atau QUIT.';

const lacking = noNetwork();
beforeEach(({ skip }) => skip(lacking !== undefined, lacking));

/** So many lines that are told more than a connection's part of the system takes at once. */
const flood = (count: number): string[] => Array.from({ length: count }, (_, index) => `x${index}`);
const asText = (lines: string[]): string => lines.map((line) => `${line}\n`).join('');

/** A server of the transport alone, that tells what it does; its options are the argument. */
const BARE_SERVER = `
  import { LineServer } from '${new URL('../../dist/line-transport/index.js', import.meta.url).href}';
  const server = new LineServer(JSON.parse(process.argv[1]));
  server.on('disconnection', (_, reason, error) => console.log('over: ' + reason + ' ' + error?.code));
  server.listen((error, address) => console.log('port ' + address.port + '...'));
`;

/** Seconds until a promise is kept. */
async function secondsUntil(promise: Promise<unknown>): Promise<number> {
  const since = performance.now();
  await promise;
  return (performance.now() - since) / 1_000;
}

/**
 * A network in which a thousand replies are under way for seconds: the service's machine keeps 16 KiB for each connection until they
 * are acknowledged, which takes a fifth of a second.
 */
async function makeSlowNetwork(): Promise<Network> {
  const network = await Network.make();
  network.server.setTcp('tcp_wmem', '4096 16384 16384');
  network.cable.faults = { delayMs: 100 };
  return network;
}

describe('A client whose cable is cut', () => {
  it('is asked for when it has been silent for keepAliveMs, and is gone ten seconds later', async () => {
    const network = await Network.make();
    const options = { host: SERVER, keepAliveMs: 1_000, idleTimeoutMs: 0 };
    const args = ['--input-type=module', '--eval', BARE_SERVER, JSON.stringify(options)];
    const service = network.startService({}, args);
    const { client } = await network.connect(service);
    const near = await network.connect(service, { on: network.server, from: SERVER });
    await client.send('x\n').line();
    await near.client.send('x\n').line();

    network.cable.cut();
    const seconds = await secondsUntil(service.logs(/over: error ETIMEDOUT/));
    expect(seconds).toBeGreaterThan(9);
    expect(seconds).toBeLessThan(15);
    expect(await near.client.send('x\n').line()).toContain('UNKNOWN COMMAND'); // as silent, but there
  });

  it('while replies are under way is gone when it has taken nothing for WRITE_TIMEOUT_MS', async () => {
    const network = await makeSlowNetwork();
    const service = network.startService({ WRITE_TIMEOUT_MS: '1000' });
    const { client } = await network.connect(service);
    const lines = flood(8_000);
    expect(await secondsUntil(client.send(asText(lines)).lines(lines.length))).toBeGreaterThan(1.5); // slow is not gone

    client.send(asText(lines));
    await client.line();
    network.cable.cut();
    const seconds = await secondsUntil(service.logs(/tidak membaca balasan. Koneksi diputus/));
    expect(seconds).toBeLessThan(4);
  });

  it.each([
    ['in the middle of a line', 'LINE_TIMEOUT_MS', 'TIME\nTI', 'tidak menyelesaikan barisnya'],
    ['while it is silent', 'IDLE_TIMEOUT_MS', 'TIME\n', 'terlalu lama diam'],
  ])(
    '%s is gone after %s, and reads why when the cable is mended',
    async (_, setting, sent, message) => {
      const network = await Network.make();
      const service = network.startService({ [setting]: '1000' });
      const { client, status } = await network.connect(service);
      expect(await client.send(sent).line()).toMatch(JAM);

      network.cable.cut();
      await service.logs(new RegExp(`Klien \\('${CLIENT}', \\d+\\) ${message}`));
      network.cable.mend();
      expect(await client.transcript()).toBe('WAKTU TUNGGU HABIS.\r\n');
      client.end();
      expect(await status).toBe(0);
    },
  );

  it('before its reply has come is gone when the system gives it up, as tcp_retries2 says', async () => {
    const network = await Network.make();
    const service = network.startService();
    const { client } = await network.connect(service);
    expect(await client.send('TIME\n').line()).toMatch(JAM);

    network.cable.cut([network.clients.end]);
    network.server.setTcp('tcp_retries2', '1');
    client.send('TIME\n');
    await service.logs(/Koneksi dengan .* gagal: .*ETIMEDOUT/);
    expect(client.received).toBe('');
  });
});

describe('When a cable that was cut is mended', () => {
  const CUT_MS = 2_000;

  it('the conversation goes on: nothing is lost and nothing doubled', async () => {
    const network = await makeSlowNetwork();
    const service = network.startService();
    const { client } = await network.connect(service);
    const lines = flood(2_000);
    client.send(asText(lines));
    const [first] = await client.lines(1);

    network.cable.cut();
    client.send('TIME\n');
    await forSomeTime(CUT_MS);
    expect(client.received.split('\r\n').length).toBeLessThan(lines.length);
    network.cable.mend();

    const replies = [first, ...(await client.lines(lines.length - 1))];
    expect(replies).toEqual(lines.map(() => ERROR));
    expect(await client.line()).toMatch(JAM);
    expect(await client.send('QUIT\n').transcript()).toBe('');
    await service.logs(/telah berhenti/);
    const received = [...service.stdout.matchAll(/Menerima pesan dari .*: '(.*)'/g)];
    expect(received.map(([, line]) => line)).toEqual([...lines, 'TIME', 'QUIT']);
  });

  it('a client that has sent QUIT reads every reply before it, and an end', async () => {
    const network = await makeSlowNetwork();
    const service = network.startService();
    const { client, status } = await network.connect(service);
    const lines = flood(2_000);
    client.send(`${asText(lines)}QUIT\n`);
    const first = await client.line();

    network.cable.cut();
    await forSomeTime(CUT_MS);
    network.cable.mend();

    const replies = [first, ...(await client.transcript()).split('\r\n')];
    expect(replies).toEqual([...lines.map(() => ERROR), '']);
    client.end();
    expect(await status).toBe(0);
  });
});

describe('With clients whose cable is cut', () => {
  it('the service stops on SIGTERM within SHUTDOWN_GRACE_MS, and exits with 0', async () => {
    const network = await makeSlowNetwork();
    const service = network.startService({ SHUTDOWN_GRACE_MS: '1500' });
    const connect = async () => (await network.connect(service)).client;
    const [silent, unfinished, gone, flooded] = await Promise.all([
      connect(),
      connect(),
      connect(),
      connect(),
    ]);
    await silent.send('TIME\n').line();
    await unfinished.send('TIME\nTI').line();
    await gone.send('TIME\n').line();
    await flooded.send(asText(flood(5_000))).line();

    network.cable.cut([network.clients.end]);
    gone.send('QUIT\n');
    await service.logs(/meminta keluar/);
    network.cable.cut();
    const seconds = await secondsUntil(service.stop());
    expect(await service.exit).toEqual({ code: 0, signal: null });
    expect(service.stdout).toContain('Server berhenti. 1 sesi diputus.');
    expect(seconds).toBeLessThan(3);
    expect(service.stderr).toBe('');
  });
});
