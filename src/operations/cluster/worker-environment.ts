/**
 * The environment of a worker: the one that the primary was given itself, without what a .env file has added since. So a new worker
 * reads a file that has changed. What systemd says is for the primary.
 */
import { GIVEN_ENVIRONMENT } from '../config/given-environment.js';
import { SYSTEMD_VARIABLES } from '../systemd/variables.js';

/** @param workers how many there are; it decides shares, whatever a file says by now */
export function workerEnvironment(workers: number): NodeJS.ProcessEnv {
  return {
    ...without(Object.keys(process.env)),
    ...GIVEN_ENVIRONMENT,
    ...without(SYSTEMD_VARIABLES),
    WORKERS: String(workers),
  };
}

function without(names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
