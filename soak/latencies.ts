/**
 * Latencies in milliseconds, and what is told of them.
 */
import * as v from 'valibot';

export const Latencies = v.object({ p50: v.number(), p99: v.number(), max: v.number() });

/** Of none, each is infinite: what did not come is waited for. */
export function latencies(milliseconds: readonly number[]): v.InferOutput<typeof Latencies> {
  const sorted = Float64Array.from(milliseconds).toSorted();
  const at = (part: number): number => sorted[Math.ceil(sorted.length * part) - 1] ?? Infinity;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
