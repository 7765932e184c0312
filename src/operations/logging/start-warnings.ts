/**
 * StartWarnings: what is probably not meant in how the service was started: privileges, and variables that have no effect.
 */
import { Inject, Injectable, type OnApplicationBootstrap, Optional } from '@nestjs/common';
import { misspeltSettings, type Settings, settings } from '../config/settings.js';
import { escapeControls } from './escape.js';
import { LOG, type Log } from './log.js';
import { LOG_MESSAGES } from './log-messages.js';
import { WORKER } from './worker.js';

@Injectable()
export class StartWarnings implements OnApplicationBootstrap {
  constructor(
    @Inject(LOG) private readonly log: Log,
    @Inject(settings.KEY) private readonly given: Settings,
    @Optional() @Inject(WORKER) private readonly worker?: number,
  ) {}

  onApplicationBootstrap(): void {
    if (this.worker !== undefined) return; // its primary has told
    const messages = LOG_MESSAGES[this.given.LOCALE];
    if (process.getuid?.() === 0) {
      this.log.warn({ event: 'runningAsRoot' }, messages.runningAsRoot());
    }
    for (const { name, meant } of misspeltSettings(process.env)) {
      const message = messages.settingMisspelt(escapeControls(name), meant);
      this.log.warn({ event: 'settingMisspelt', name, meant }, message);
    }
  }
}
