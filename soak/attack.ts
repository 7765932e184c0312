/**
 * Attack: something bad that clients do to the service, and what is promised nevertheless.
 */
import type { ServiceOptions } from './service.js';
import type { Stage } from './stage.js';
import type { Verdict } from './verdict.js';

export interface Attack {
  readonly name: string;
  /** What happens, for the page of results. */
  readonly title: string;
  /** How the service must be started for it; without, any service will do that is as it is by default. */
  readonly service?: ServiceOptions;
  readonly run: (stage: Stage) => Promise<Verdict[]>;
}
