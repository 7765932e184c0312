/**
 * MeasuredLine: one line, from when it is served until its answer is complete. Made only where someone listens to `answered`.
 */
import type { Answered, Outcome } from './line-events.js';

export class MeasuredLine implements Answered {
  command = '';
  outcome: Outcome = 'replied';
  durationMs = 0;
  readonly #began = performance.now();

  /** Its answer is complete. */
  end(outcome: Outcome): Answered {
    this.outcome = outcome;
    this.durationMs = performance.now() - this.#began;
    return this;
  }
}
