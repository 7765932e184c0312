/**
 * The listening socket that systemd has opened for the service and handed over: sd_listen_fds(3). Knows nothing of who listens on it.
 */
import { SettingsError } from '../config/settings.js';

/** Where what is handed over begins: SD_LISTEN_FDS_START. */
const FIRST_DESCRIPTOR = 3;

/**
 * @returns its descriptor; `undefined` if none was handed to this process
 * @throws {SettingsError} if there are several
 */
export function inheritedSocket(env: NodeJS.ProcessEnv): number | undefined {
  const { LISTEN_FDS = '', LISTEN_PID = '' } = env;
  if (LISTEN_FDS === '' || LISTEN_PID !== String(process.pid)) return undefined; // left behind by another one's parent
  if (LISTEN_FDS === '1') return FIRST_DESCRIPTOR;
  const rule =
    `must be 1, not ${JSON.stringify(LISTEN_FDS)}: the service listens on one socket of systemd; ` +
    'leave one ListenStream= in its socket unit';
  throw new SettingsError([{ name: 'LISTEN_FDS', rule }]);
}
