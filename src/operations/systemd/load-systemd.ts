/**
 * Whether systemd has started this process. What speaks with it is loaded only then.
 */
import { createRequire } from 'node:module';
import type { DynamicModule } from '@nestjs/common';
import type { Systemd } from './systemd.js';

const require = createRequire(import.meta.url);

/**
 * @returns `undefined` in a process that systemd has handed no socket, and waits for no news of
 * @throws {SettingsError} if the service cannot listen on what it was handed
 */
export function loadSystemd(env: NodeJS.ProcessEnv = process.env): Systemd | undefined {
  if (!env['LISTEN_FDS'] && !env['NOTIFY_SOCKET']) return undefined;
  const loaded: typeof import('./systemd.js') = require('./systemd.js');
  return new loaded.Systemd(env);
}

/** What an application imports for it. */
export function systemdOf(systemd: Systemd | undefined): DynamicModule[] {
  if (systemd === undefined) return [];
  const loaded: typeof import('./systemd.module.js') = require('./systemd.module.js');
  return [loaded.SystemdModule.of(systemd)];
}
