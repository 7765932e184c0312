/**
 * Which ways an input takes through instrumented code: how often it went from one place to another, counted in powers of two, as
 * AFL does. Knows nothing of inputs.
 */

const EDGES = 1 << 18;

/** The name of the function that instrumented code calls at each place. */
export const HIT = '$hit';

export class Coverage {
  readonly #counts = new Uint32Array(EDGES);
  /** The powers of two that were seen of an edge, a bit each. */
  readonly #seen = new Uint32Array(EDGES);
  #touched: number[] = [];
  #previous = 0;
  #edges = 0;
  #features = 0;

  /** Instrumented code tells this one. */
  constructor() {
    Reflect.set(globalThis, HIT, (place: number) => {
      const edge = (place ^ this.#previous) & (EDGES - 1);
      this.#previous = place >>> 1;
      const count = this.#counts[edge] ?? 0;
      if (count === 0) this.#touched.push(edge);
      this.#counts[edge] = count + 1;
    });
  }

  /** Ways from one place to another that were taken. */
  get edges(): number {
    return this.#edges;
  }

  /** The same, each as often as it was taken in other powers of two. */
  get features(): number {
    return this.#features;
  }

  /** Forgets the way of the input before. */
  begin(): void {
    for (const edge of this.#touched) this.#counts[edge] = 0;
    this.#touched = [];
    this.#previous = 0;
  }

  /** What is new of this way: edges that no input took before. */
  get newEdges(): readonly number[] {
    return this.#touched.filter((edge) => !this.hasSeen(edge));
  }

  /** Whether any input took this edge. */
  hasSeen(edge: number): boolean {
    return this.#seen[edge] !== 0;
  }

  /** Whether this way has these edges. */
  has(edges: readonly number[]): boolean {
    return edges.every((edge) => (this.#counts[edge] ?? 0) > 0);
  }

  /** Remembers this way. @returns how many features of it no input had before */
  end(): number {
    const before = this.#features;
    for (const edge of this.#touched) {
      const seen = this.#seen[edge] ?? 0;
      const bit = 1 << (31 - Math.clz32(this.#counts[edge] ?? 0));
      if ((seen & bit) !== 0) continue;
      if (seen === 0) this.#edges++;
      this.#seen[edge] = seen | bit;
      this.#features++;
    }
    return this.#features - before;
  }
}
