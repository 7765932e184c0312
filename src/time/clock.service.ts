/**
 * ClockService: the time of day, as text, in one zone. Knows nothing of who asks.
 */
import { Inject, Injectable, Optional } from '@nestjs/common';

/** The injection token of the clock's zone: an IANA name, or `undefined` for the process's local zone. */
export const TIME_ZONE = Symbol('time zone');

/** Tells the time of day. */
@Injectable()
export class ClockService {
  readonly #format: Intl.DateTimeFormat;
  #second = Number.NaN;
  #text = '';

  /**
   * @param timeZone IANA name; default: the process's local zone
   * @throws {RangeError} if there is no such zone
   */
  constructor(@Optional() @Inject(TIME_ZONE) timeZone?: string) {
    this.#format = new Intl.DateTimeFormat('en-GB', {
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
      hourCycle: 'h23',
      ...(timeZone !== undefined && { timeZone }),
    });
  }

  /**
   * The time of day now, `hh:mm:ss`, 00–23 hours. It is formatted when the second is another one than last time,
   * earlier or later, so it is never stale and a clock that is set back is followed; offsets change on whole seconds.
   */
  timeOfDay(): string {
    const now = Date.now();
    const second = Math.floor(now / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = this.#format.format(now);
    }
    return this.#text;
  }
}
