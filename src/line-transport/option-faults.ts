/**
 * OptionFaults: gathers what is wrong with someone's options, so that it is told at once and not one fault a start. Knows
 * none of the options.
 */
import { LineError } from './line-errors.js';

/** The least and the greatest value that a numeric option may have. */
export interface OptionBounds {
  readonly min: number;
  readonly max: number;
}

interface Place {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly path?: string | undefined;
  readonly fd?: number | undefined;
  readonly acceptor?: unknown;
}

/** What is wrong with a number that is not whole or out of its bounds. */
export function wholeNumberFault(
  name: string,
  value: number,
  { min, max }: OptionBounds,
): string | undefined {
  if (Number.isInteger(value) && value >= min && value <= max) return undefined;
  return `${name} must be a whole number from ${min} to ${max}, not ${value}`;
}

export class OptionFaults {
  readonly #faults: string[] = [];

  /** Notes a fault: a clause that names the option. */
  add(fault: string): void {
    this.#faults.push(fault);
  }

  /** Notes a number that is not whole or out of its bounds; gives it back in any case. */
  wholeNumber(name: string, value: number, bounds: OptionBounds): number {
    const fault = wholeNumberFault(name, value, bounds);
    if (fault !== undefined) this.add(fault);
    return value;
  }

  /** Notes what is given and is no text, or an empty one. Options may come from plain JavaScript, whatever their types say. */
  text(name: string, value: unknown, wanted: string): void {
    if (value === undefined || (typeof value === 'string' && value !== '')) return;
    this.add(`${name} must be ${wanted}`);
  }

  /** Notes two places at once: a socket has a path, or a host and a port, or is there already, or another process has it. */
  twoPlaces({ host, port, path, fd, acceptor }: Place): void {
    const hasPort = host !== undefined || port !== undefined;
    if (path !== undefined && hasPort) this.add('path excludes host and port');
    if (fd !== undefined && (hasPort || path !== undefined)) {
      this.add('fd excludes host, port and path');
    }
    if (acceptor !== undefined && (hasPort || path !== undefined || fd !== undefined)) {
      this.add('acceptor excludes host, port, path and fd');
    }
  }

  /** Notes every name that is not among the known ones: most often a typing error. */
  unknownNames(given: object, known: object): void {
    for (const name of Object.keys(given)) {
      if (!Object.hasOwn(known, name)) this.add(`${name} is not an option`);
    }
  }

  /**
   * @param whose begins the message, as `The line server`
   * @throws {LineError} `ERR_LINE_OPTIONS` that names every fault, if there is one
   */
  throwIfAny(whose: string): void {
    if (this.#faults.length === 0) return;
    throw new LineError(
      'ERR_LINE_OPTIONS',
      `${whose}'s options are wrong: ${this.#faults.join('; ')}.`,
    );
  }
}
