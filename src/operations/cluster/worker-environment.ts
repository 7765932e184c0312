/**
 * The environment of a worker: the one that the primary was given itself, without what a .env file has added since. So a new worker
 * reads a file that has changed. What systemd says is for the primary.
 */
import { GIVEN_ENVIRONMENT } from '../config/given-environment.js';
import type { Settings } from '../config/settings.js';
import { SYSTEMD_VARIABLES } from '../systemd/variables.js';

/** @param given what the primary goes by: where both must be of one mind, the worker goes by it, too, whatever a file says by now */
export function workerEnvironment({
  WORKERS,
  MANAGEMENT_PORT,
  SHUTDOWN_GRACE_MS,
}: Settings): NodeJS.ProcessEnv {
  return {
    ...without(Object.keys(process.env)),
    ...GIVEN_ENVIRONMENT,
    ...without(SYSTEMD_VARIABLES),
    WORKERS: String(WORKERS),
    MANAGEMENT_PORT: String(MANAGEMENT_PORT ?? ''),
    SHUTDOWN_GRACE_MS: String(SHUTDOWN_GRACE_MS),
  };
}

function without(names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.map((name) => [name, undefined]));
}
