/** Between the service and its clients are networks that lose packets, delay, double and damage them, and are gone for a while. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Faults } from '../support/cable.js';
import type { TestClient } from '../support/line-client.js';
import { Network, noNetwork } from '../support/network.js';

const JAM = /^JAM ([01]\d|2[0-3])(:[0-5]\d){2}$/;
const ERROR = 'PERINTAH TIDAK DIKENALI. Gunakan TIME atau QUIT.';

const lacking = noNetwork();
beforeEach(({ skip }) => skip(lacking !== undefined, lacking));

/** Lines in an order that never repeats itself, so that a reply lost or doubled shows in all that follow. */
const mixed = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => (Math.sin(index * index) > 0 ? 'TIME' : `x${index}`));

/** Replies, with the time of day taken off. */
const kindsOf = (replies: string[]): string[] =>
  replies.map((reply) => (JAM.test(reply) ? 'JAM' : reply));

const repliesTo = (lines: string[]): string[] =>
  lines.map((line) => (line === 'TIME' ? 'JAM' : ERROR));

async function askOneByOne(client: TestClient, lines: string[]): Promise<string[]> {
  const replies: string[] = [];
  for (const line of lines) replies.push(await client.send(`${line}\n`).line());
  return replies;
}

const FAULTS: { cable: string; faults: Faults; mtu?: number }[] = [
  { cable: 'loses one packet of seven', faults: { loss: 1 / 7 } },
  { cable: 'takes 50 ms, more or less', faults: { delayMs: 40, jitterMs: 20 } },
  { cable: 'lets packets overtake each other', faults: { jitterMs: 10 } },
  { cable: 'doubles one packet of three', faults: { duplication: 1 / 3 } },
  { cable: 'damages one packet of ten', faults: { corruption: 1 / 10 } },
  { cable: 'takes no packet of more than 100 bytes', faults: {}, mtu: 100 },
  {
    cable: 'does all of that',
    faults: { loss: 0.05, corruption: 0.05, duplication: 0.1, delayMs: 10, jitterMs: 10 },
    mtu: 500,
  },
];

describe('Over a cable that', () => {
  it.each(FAULTS)(
    '$cable every line is answered once and in order, and QUIT is a clean end',
    async ({ faults, mtu = 1_500 }) => {
      const network = await Network.make();
      for (const machine of [network.server, network.clients]) machine.setMtu(mtu);
      const service = network.startService();
      network.cable.faults = faults;
      const { client, status } = await network.connect(service);
      const few = mixed(20);
      const many = mixed(2_000);

      expect(kindsOf(await askOneByOne(client, few))).toEqual(repliesTo(few));
      client.send(`${many.join('\n')}\n`);
      expect(kindsOf(await client.lines(many.length))).toEqual(repliesTo(many));
      client.send(`${many.join('\r\n')}\r\nQUIT\r\n`);
      const last = (await client.transcript()).split('\r\n');
      expect(kindsOf(last)).toEqual([...repliesTo(many), '']);

      client.end();
      expect(await status).toBe(0);
      expect(network.cable.troubled > 10).toBe(Object.keys(faults).length > 0);
      expect(network.cable.largest).toBe(mtu);
    },
  );
});
