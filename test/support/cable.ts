/**
 * A cable between two machines, for tests of bad networks: it carries IP packets and loses, delays, doubles or damages them as the
 * test says, on any kernel that has tun devices. Knows nothing of what the packets mean.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** What is wrong with a cable, in both directions. */
export interface Faults {
  /** The share of packets that are lost, 0–1. */
  readonly loss?: number;
  /** The share of packets that arrive with one bit turned, 0–1. */
  readonly corruption?: number;
  /** The share of packets that arrive twice, 0–1. */
  readonly duplication?: number;
  /** How long every packet takes, in milliseconds. */
  readonly delayMs?: number;
  /** By how much more one may be delayed than another, in milliseconds: they overtake each other. */
  readonly jitterMs?: number;
}

/** With more in a row, TCP would wait for seconds before it tries again, and the test with it. */
const MAX_MISSED_IN_A_ROW = 2;

/** The same chances in each run. */
const SEED = 20_260_101;

/** Numbers from 0 up to 1, as Math.random() gives them, but always the same (mulberry32). */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * One end of a cable: a tun device, whose packets socat carries to and from a socket of this process. The device is made where
 * this process is, and belongs to a machine as soon as it is moved there.
 */
export class CableEnd {
  #isOpen = true;

  private constructor(
    private readonly socket: Socket,
    private readonly socat: ChildProcess,
  ) {
    socket.on('error', () => undefined); // socat is gone: the packet is lost, as it would be
  }

  /** @param device the name of the device, which nobody else may have */
  static async make(device: string): Promise<CableEnd> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    const to = `UDP4:127.0.0.1:${socket.address().port},bind=127.0.0.1`;
    const socat = spawn('socat', ['-d', '-d', `TUN,iff-no-pi,tun-name=${device}`, to]);
    const end = new CableEnd(socket, socat);
    const gone = once(socat, 'close');
    onTestFinished(() => end.#remove(gone));
    const port = await said(socat, /local address AF=2 [\d.]+:(\d+)[^]*starting data transfer/);
    socket.connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socat.on('close', (status) => {
      if (end.#isOpen) throw new Error(`the cable broke: socat ended with ${status}`); // fails the test
    });
    return end;
  }

  onPacket(listener: (packet: Buffer) => void): void {
    this.socket.on('message', listener);
  }

  /** Lets a packet out, unless the cable is no longer there. */
  send(packet: Uint8Array): void {
    if (this.#isOpen) this.socket.send(packet, () => undefined); // a full socket is one more loss
  }

  async #remove(gone: Promise<unknown>): Promise<void> {
    this.#isOpen = false;
    this.socket.close();
    this.socat.kill();
    await gone;
  }
}

/** What a program has said on its standard error: the first group of the pattern. Fails when the program ends before. */
export function said(program: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    program.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const match = pattern.exec(text);
      if (match !== null) resolve(match[1] ?? match[0]);
    });
    program.on('error', reject);
    program.on('close', () =>
      reject(new Error(`ended before it said ${String(pattern)}: ${text}`)),
    );
  });
}

export class Cable {
  /** What is wrong with it from now on. */
  faults: Faults = {};
  /** Packets that did not arrive as they were sent, or not at once. */
  troubled = 0;
  /** The largest packet so far, in bytes. */
  largest = 0;
  readonly #cutOff = new Set<CableEnd>();
  readonly #chance = dice(SEED);

  constructor(
    private readonly one: CableEnd,
    private readonly other: CableEnd,
  ) {
    this.#carry(one, other);
    this.#carry(other, one);
  }

  /** From now on nothing arrives at these ends, and nobody is told. Default: at both. */
  cut(ends = [this.one, this.other]): void {
    for (const end of ends) this.#cutOff.add(end);
  }

  /** It carries again. */
  mend(): void {
    this.#cutOff.clear();
  }

  #carry(from: CableEnd, to: CableEnd): void {
    let missed = 0;
    from.onPacket((packet) => {
      const { loss = 0, corruption = 0, duplication = 0 } = this.faults;
      const fate = this.#chance();
      const misses = fate < loss + corruption && missed < MAX_MISSED_IN_A_ROW;
      const isDoubled = this.#chance() < duplication;
      missed = misses ? missed + 1 : 0;
      this.largest = Math.max(this.largest, packet.length);
      if (misses || isDoubled) this.troubled++;
      if (misses && fate < loss) return;
      if (misses) this.#damage(packet);
      this.#deliver(packet, to);
      if (isDoubled) this.#deliver(packet, to);
    });
  }

  #deliver(packet: Uint8Array, to: CableEnd): void {
    const { delayMs = 0, jitterMs = 0 } = this.faults;
    const takesMs = delayMs + jitterMs * this.#chance();
    if (takesMs > 0) {
      this.troubled++;
      setTimeout(() => this.#arrive(packet, to), takesMs);
    } else {
      this.#arrive(packet, to);
    }
  }

  #arrive(packet: Uint8Array, to: CableEnd): void {
    if (this.#cutOff.has(to)) this.troubled++;
    else to.send(packet);
  }

  /**
   * Turns one bit, wherever it is: a checksum of IP or TCP is then wrong. Not in the first byte, though: what is neither IPv4 nor
   * IPv6 no tun device takes.
   */
  #damage(packet: Uint8Array): void {
    const place = 1 + Math.floor(this.#chance() * (packet.length - 1));
    packet[place] = (packet[place] ?? 0) ^ (1 << Math.floor(this.#chance() * 8));
  }
}
