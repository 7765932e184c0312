/**
 * Ends the process when one input takes for ever, and writes down which: a loop without end lets nothing else of it run. This file is
 * both sides: what the fuzzer tells of, and the thread that watches.
 */
import { writeSync } from 'node:fs';
import { Worker, workerData } from 'node:worker_threads';
import { writeInput } from './corpus.js';

const STDERR = 2;
const CHECK_MS = 1_000;
/** The machine may have other things to do. */
const STUCK_CHECKS = 20;

interface Watched {
  /** How many inputs were begun, and the length of the last. */
  readonly begun: Int32Array;
  readonly input: Uint8Array;
  readonly folder: string;
}

export class Watchdog {
  readonly #watched: Watched;

  /** @param folder where the input is written */
  constructor(maxBytes: number, folder: string) {
    this.#watched = {
      begun: new Int32Array(new SharedArrayBuffer(8)),
      input: new Uint8Array(new SharedArrayBuffer(maxBytes)),
      folder,
    };
    new Worker(new URL(import.meta.url), { workerData: this.#watched }).unref();
  }

  /** An input is going to be played. */
  begin(input: Buffer): void {
    const { begun, input: shared } = this.#watched;
    shared.set(input.subarray(0, shared.length));
    begun[1] = input.length;
    Atomics.add(begun, 0, 1);
  }
}

function watch({ begun, input, folder }: Watched): void {
  let before = 0;
  let stuck = 0;
  setInterval(() => {
    const now = Atomics.load(begun, 0);
    stuck = now === before && now > 0 ? stuck + 1 : 0;
    before = now;
    if (stuck < STUCK_CHECKS) return;
    const file = writeInput(folder, 'hang', Buffer.from(input.slice(0, begun[1])));
    writeSync(STDERR, `An input takes for ever: ${file}\n`); // what a thread prints otherwise goes through the one that is stuck
    process.kill(process.pid, 'SIGKILL');
  }, CHECK_MS);
}

function isWatched(data: unknown): data is Watched {
  return typeof data === 'object' && data !== null && 'begun' in data && 'input' in data;
}

const given: unknown = workerData;
if (isWatched(given)) watch(given);
