/**
 * Fuzzer: plays inputs, one made of another, and keeps those that take ways no other took.
 */
import { fileURLToPath } from 'node:url';
import { readCorpus, writeInput } from './corpus.js';
import type { Coverage } from './coverage.js';
import { describe } from './description.js';
import { Mutator } from './mutate.js';
import type { FuzzOptions } from './options.js';
import { shrink } from './shrink.js';
import { play, prepare } from './target.js';
import { Watchdog } from './watchdog.js';

/** The corpus of the repository; compiled, this file is fuzz/dist/fuzz/fuzzer.js. */
const CORPUS = fileURLToPath(new URL('../../corpus/', import.meta.url));
/** Longer inputs say nothing that these cannot. */
const MAX_BYTES = 2_048;
const REPORT_MS = 10_000;
/** Of so many the one is picked that has cost least. */
const CANDIDATES = 5;

/** So many inputs are added to the corpus at a time: it is to stay quick, and one can still look at it. */
const MAX_ADDED = 80;

/** An input that took a new way. */
interface Kept {
  readonly input: Buffer;
  /** Milliseconds it took. */
  readonly ms: number;
  /** How many inputs were made of it. */
  children: number;
}

export class Fuzzer {
  readonly #mutator: Mutator;
  readonly #watchdog: Watchdog;
  readonly #kept: Kept[] = [];
  readonly #began = performance.now();
  #played = 0;
  #nextReport = REPORT_MS;
  /** What failed and nobody awaited. */
  #rejection: { readonly reason: unknown } | undefined;

  constructor(
    private readonly options: FuzzOptions,
    private readonly coverage: Coverage,
  ) {
    this.#mutator = new Mutator(options.seed, MAX_BYTES);
    this.#watchdog = new Watchdog(MAX_BYTES, this.#failed);
    process.on('unhandledRejection', (reason) => {
      this.#rejection = { reason };
    });
  }

  /** @returns whether everything was as it has to be */
  async fuzz(): Promise<boolean> {
    const { seconds, seed, out } = this.options;
    const known = [...readCorpus(CORPUS), ...readCorpus(out)].map(({ input }) => input);
    for (const input of known) if (!(await this.#isFine(input))) return false;
    this.#report('corpus');
    console.log(`Fuzzing for ${seconds} s, seed ${seed}. New inputs go to ${out}`);
    while (this.#elapsed < seconds * 1_000) {
      const parent = this.#pick();
      parent.children++;
      const input = this.#mutator.mutate(parent.input, this.#pick().input);
      if (!(await this.#isFine(input, out))) return false;
      if (this.#elapsed > this.#nextReport) this.#report('so far');
    }
    this.#report('all is well');
    return true;
  }

  /** Shows inputs and plays them. @returns whether everything was as it has to be */
  async replay(inputs: readonly Buffer[]): Promise<boolean> {
    for (const input of inputs) {
      console.log(describe(input));
      const fault = await this.#faultOf(input);
      if (fault !== undefined) {
        console.error(fault);
        return false;
      }
    }
    return true;
  }

  /** Adds to the corpus what was found: the inputs that take most ways not taken yet from one place to another, made short. */
  async merge(): Promise<boolean> {
    for (const { input } of readCorpus(CORPUS)) if (!(await this.#isFine(input))) return false;
    let left: { readonly input: Buffer; readonly edges: readonly number[] }[] = [];
    for (const { input } of readCorpus(this.options.out)) {
      left.push({ input, edges: await this.#newEdges(input) });
    }
    for (let added = 0; added < MAX_ADDED; added++) {
      const [best, ...others] = left.toSorted(
        (one, other) => other.edges.length - one.edges.length,
      );
      if (best === undefined || best.edges.length === 0) break;
      const { input, edges } = best;
      const small = await shrink(input, async (smaller) => {
        await this.#newEdges(smaller);
        return this.coverage.has(edges);
      });
      if (!(await this.#isFine(small))) return false;
      console.log(writeInput(CORPUS, 'found', small));
      const isNew = (edge: number): boolean => !this.coverage.hasSeen(edge);
      left = others.map((other) => ({ input: other.input, edges: other.edges.filter(isNew) }));
    }
    this.#report('merged');
    return true;
  }

  /** The edges of an input that none had before. */
  async #newEdges(input: Buffer): Promise<readonly number[]> {
    const fault = await this.#faultOf(input);
    return fault === undefined ? this.coverage.newEdges : [];
  }

  /** Where inputs go that fail: not among those that others are made of. */
  get #failed(): string {
    return `${this.options.out}-failed`;
  }

  get #elapsed(): number {
    return performance.now() - this.#began;
  }

  /** @param folder where it goes if it takes a new way */
  async #isFine(input: Buffer, folder?: string): Promise<boolean> {
    const began = performance.now();
    const fault = await this.#faultOf(input);
    if (fault !== undefined) {
      await this.#tell(input, fault);
      return false;
    }
    if (this.coverage.end() === 0) return true;
    this.#kept.push({ input, ms: performance.now() - began, children: 0 });
    if (folder !== undefined) writeInput(folder, 'input', input);
    return true;
  }

  async #faultOf(input: Buffer): Promise<unknown> {
    await prepare(input);
    this.#watchdog.begin(input);
    this.coverage.begin();
    this.#played++;
    try {
      await play(input);
    } catch (error) {
      return error;
    }
    const rejection = this.#rejection;
    this.#rejection = undefined;
    return rejection && new Error('A rejection is not handled', { cause: rejection.reason });
  }

  async #tell(input: Buffer, fault: unknown): Promise<void> {
    const small = await shrink(input, async (each) => (await this.#faultOf(each)) !== undefined);
    console.error(describe(small));
    console.error((await this.#faultOf(small)) ?? fault);
    console.error(`The input is ${writeInput(this.#failed, 'failed', small)}`);
  }

  /** Inputs that were quick, and of which few were made, are picked rather than others. */
  #pick(): Kept {
    const candidates = Array.from(
      { length: CANDIDATES },
      () => this.#kept[this.#mutator.below(this.#kept.length)],
    );
    const costs = (kept: Kept): number => (kept.children + 1) * kept.ms;
    return (
      candidates.filter((kept) => kept !== undefined).toSorted((a, b) => costs(a) - costs(b))[0] ??
      NOTHING
    );
  }

  #report(when: string): void {
    const seconds = this.#elapsed / 1_000;
    this.#nextReport = this.#elapsed + REPORT_MS;
    const { edges, features } = this.coverage;
    console.log(
      `${seconds.toFixed(0)} s, ${when}: ${this.#played} inputs played, ${(this.#played / seconds).toFixed(0)}/s, ` +
        `${this.#kept.length} kept, ${edges} edges, ${features} features`,
    );
  }
}

const NOTHING: Kept = { input: Buffer.alloc(2), ms: 1, children: 0 };
