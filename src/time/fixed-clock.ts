/**
 * FixedClock: a clock that stands still, for tests of what is built on ClockService.
 */
import { ClockService } from './clock.service.js';

/** `overrideProvider(ClockService).useValue(new FixedClock('06:14:20'))` */
export class FixedClock extends ClockService {
  /** @param text the time of day that is told, `hh:mm:ss`; it can be changed */
  constructor(public text: string) {
    super('UTC');
  }

  override timeOfDay(): string {
    return this.text;
  }
}
