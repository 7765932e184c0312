/**
 * SystemdModule: hands the socket of systemd to who listens, and says in the log what an operator is to know of it. Needs the settings
 * and the log.
 */
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { type Settings, settings } from '../config/settings.js';
import { escapeControls } from '../logging/escape.js';
import { LOG, type Log } from '../logging/log.js';
import { LOG_MESSAGES } from '../logging/log-messages.js';
import { LISTENING_SOCKET } from './listening-socket.js';
import { Systemd } from './systemd.js';

@Module({})
export class SystemdModule implements OnApplicationBootstrap {
  constructor(
    private readonly systemd: Systemd,
    @Inject(LOG) private readonly log: Log,
    @Inject(settings.KEY) private readonly given: Settings,
  ) {}

  static of(systemd: Systemd): DynamicModule {
    return {
      module: SystemdModule,
      global: true,
      providers: [
        { provide: Systemd, useValue: systemd },
        { provide: LISTENING_SOCKET, useValue: systemd.socket },
      ],
      exports: [LISTENING_SOCKET],
    };
  }

  onApplicationBootstrap(): void {
    const { log, systemd } = this;
    const messages = LOG_MESSAGES[this.given.LOCALE];
    if (systemd.socket !== undefined) {
      log.info({ event: 'socketInherited' }, messages.socketInherited());
    }
    systemd.onLost((reason) =>
      log.warn({ event: 'notifyFailed' }, messages.notifyFailed(escapeControls(reason))),
    );
  }
}
