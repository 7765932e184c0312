/**
 * What is promised whatever some clients do: the others are served, and nothing is left of it.
 */
import type { Observed, Watched } from './stage.js';
import { atMost, grouped, holds, type Verdict } from './verdict.js';

/** Descriptors that may have come in the meantime for other reasons than clients. */
const SPARE_DESCRIPTORS = 10;
const REMAINS_MIB = 40;

/** A healthy client is answered, rightly and soon. */
export function served({ witness, starved }: Watched, p99Ms: number): Verdict[] {
  const { asked, answered, wrong, newcomers, newcomersServed, p50, p99, max, fault } = witness;
  const isServed = answered === asked && wrong === 0 && newcomersServed === newcomers;
  const told = `${grouped(answered)} of ${grouped(asked)}, ${grouped(newcomersServed)} of ${grouped(newcomers)} newcomers`;
  return [
    holds(
      'a healthy client and newcomers get every reply, with the right second',
      isServed && fault === undefined,
      fault === undefined ? told : `${told}; ${fault}`,
    ),
    holds(
      `a healthy client waits less than ${p99Ms} ms (p99)`,
      p99 < p99Ms,
      `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms; without a processor: service ${percent(starved)}, client ${percent(witness.starved)} of the time`,
    ),
  ];
}

/** When all clients have gone, so has what they cost. */
export function cleared({ before, after, remainsMib }: Observed<unknown>): Verdict[] {
  const descriptors = after.descriptors - before.descriptors;
  const connections = after.connections - before.connections;
  return [
    holds(
      `afterwards no connection is left, and descriptors are within ${SPARE_DESCRIPTORS} of those before`,
      connections === 0 && Math.abs(descriptors) <= SPARE_DESCRIPTORS,
      `${connections} connections, ${signed(descriptors)} descriptors`,
    ),
    atMost('memory that remains', remainsMib, REMAINS_MIB, 'MiB'),
  ];
}

function signed(number: number): string {
  return number < 0 ? String(number) : `+${number}`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}
