/** Clients of several addresses: each has its share of the service. */
import { beforeEach, describe, expect, it } from 'vitest';
import { CLIENT, type DistantClient, Network, noNetwork, SERVER } from '../support/network.js';
import type { Service } from '../support/service.js';

const JAM = /^JAM [\d:]{8}$/;
const FULL = 'SERVER PENUH. Coba lagi nanti.';

const lacking = noNetwork();
beforeEach(({ skip }) => skip(lacking !== undefined, lacking));

const LIMITED = { MAX_CONNECTIONS_PER_ADDRESS: '3' };

/** A site's network is a /64, and the next one is somebody else's. */
const SERVER_V6 = 'fd77::1';
const SITE = [
  'fd77:0:0:1::2',
  'fd77:0:0:1:ffff::3',
  'fd77:0:0:1::4',
  'fd77:0:0:1:8000::5',
] as const;
const OTHER_SITE = 'fd77:0:0:2::2';

async function expectServed({ client }: DistantClient): Promise<void> {
  expect(await client.send('TIME\n').line()).toMatch(JAM);
}

/** It is told why, and then reads an end, not an error. */
async function expectRefused({ client, status }: DistantClient): Promise<void> {
  expect(await client.transcript()).toBe(`${FULL}\r\n`);
  client.end();
  expect(await status).toBe(0);
}

/** Connects from each address in turn; each is served. */
async function fill(
  network: Network,
  service: Service,
  addresses: readonly string[],
  to?: string,
): Promise<DistantClient[]> {
  const clients: DistantClient[] = [];
  for (const from of addresses) {
    const client = await network.connect(service, { from, ...(to !== undefined && { to }) });
    await expectServed(client);
    clients.push(client);
  }
  return clients;
}

describe('With three connections for each address', () => {
  it('the fourth of one is told that the server is full, and another address is served', async () => {
    const network = await Network.make();
    network.clients.addAddress('10.77.0.3/24');
    const service = network.startService(LIMITED);
    const [first] = await fill(network, service, [CLIENT, CLIENT, CLIENT]);

    await expectRefused(await network.connect(service));
    await service.logs(
      new RegExp(
        `Koneksi dari \\('${CLIENT}', \\d+\\) ditolak: terlalu banyak koneksi dari alamat ini`,
      ),
    );
    await fill(network, service, ['10.77.0.3', '10.77.0.3', '10.77.0.3']);
    await expectRefused(await network.connect(service, { from: '10.77.0.3' }));

    first?.client.end('QUIT\n');
    await first?.client.ended();
    await fill(network, service, [CLIENT]);
  });

  it('the addresses of one IPv6 /64 count together, and another /64 is served', async () => {
    const network = await Network.make();
    network.server.addAddress(`${SERVER_V6}/32`);
    for (const address of [...SITE, OTHER_SITE]) network.clients.addAddress(`${address}/32`);
    const service = network.startService({ ...LIMITED, HOST: '::' });
    const [one, two, three, four] = SITE;
    await fill(network, service, [one, two, three], SERVER_V6);

    await expectRefused(await network.connect(service, { from: four, to: SERVER_V6 }));
    await fill(network, service, [OTHER_SITE], SERVER_V6);
  });

  it('an IPv4 address that comes to an IPv6 socket counts alone, whatever others of IPv4 do', async () => {
    const network = await Network.make();
    network.clients.addAddress('10.77.0.3/24');
    const service = network.startService({ ...LIMITED, HOST: '::' });
    await fill(network, service, [CLIENT, CLIENT, CLIENT]);

    await expectRefused(await network.connect(service, { to: SERVER }));
    await fill(network, service, ['10.77.0.3']);
  });
});
