/**
 * What SIGHUP does in a process of its own: it takes up the TLS files as they are now. Where there is nothing to take up that is
 * said; a signal that nobody listens to would end the process.
 */
import type { INestApplicationContext } from '@nestjs/common';
import { type Settings, settings } from './config/settings.js';
import { LOG, type Log } from './logging/log.js';
import { LOG_MESSAGES } from './logging/log-messages.js';
import type { Systemd } from './systemd/systemd.js';

/**
 * @param files what can be taken up; `undefined` if there is nothing
 * @param systemd told of it, if it waits for news
 */
export function reloadOnHangup(
  app: INestApplicationContext,
  files: { reload(): void } | undefined,
  systemd?: Systemd,
): void {
  const reload = (): void => {
    if (files === undefined) sayNothingToReload(app);
    else files.reload();
  };
  process.on('SIGHUP', () => {
    if (systemd === undefined) reload();
    else void systemd.reload(reload);
  });
}

function sayNothingToReload(app: INestApplicationContext): void {
  const { LOCALE } = app.get<Settings>(settings.KEY);
  app.get<Log>(LOG).info({ event: 'nothingToReload' }, LOG_MESSAGES[LOCALE].nothingToReload());
}
