/**
 * TlsReload: takes up new TLS files while the service runs, when they change and when it is told to. New clients are shown the new
 * certificate, conversations go on. Files that are wrong change nothing but the log.
 */
import { type StatsListener, unwatchFile, watchFile } from 'node:fs';
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { LineServer } from '../../line-transport/index.js';
import { type Settings, settings, SettingsError } from '../config/settings.js';
import { escapeControls } from '../logging/escape.js';
import { LOG, type Log } from '../logging/log.js';
import { LOG_MESSAGES, type LogMessages } from '../logging/log-messages.js';
import { TlsCertificate } from './tls-certificate.js';
import { TlsExpiry } from './tls-expiry.js';

/** How often the files are looked at. */
const LOOK_MS = 1_000;
/** How long they must have been left alone: the key and the certificate are written one after the other. */
const SETTLE_MS = 2_000;

@Injectable()
export class TlsReload implements OnApplicationBootstrap, OnApplicationShutdown {
  readonly #paths: readonly string[];
  readonly #messages: LogMessages;
  readonly #onChange: StatsListener = () => this.#settle();
  #settling: NodeJS.Timeout | undefined;

  constructor(
    private readonly server: LineServer,
    @Inject(TlsCertificate) private readonly certificate: TlsCertificate,
    @Inject(TlsExpiry) private readonly expiry: TlsExpiry,
    @Inject(LOG) private readonly log: Log,
    @Inject(settings.KEY) given: Settings,
  ) {
    this.#messages = LOG_MESSAGES[given.LOCALE];
    const { TLS_KEY_FILE, TLS_CERT_FILE, TLS_CLIENT_CA_FILE } = given;
    this.#paths = [TLS_KEY_FILE, TLS_CERT_FILE, TLS_CLIENT_CA_FILE].filter(
      (path) => path !== undefined,
    );
  }

  /**
   * Looks at what the names lead to, time and again: a watch on a file would stay with one that an editor renames, and would not see
   * the symbolic links of certbot and of Kubernetes (`..data`) lead elsewhere.
   */
  onApplicationBootstrap(): void {
    for (const path of this.#paths) {
      watchFile(path, { interval: LOOK_MS, persistent: false }, this.#onChange);
    }
    this.#settle(); // they may have changed since they were read
  }

  onApplicationShutdown(): void {
    for (const path of this.#paths) unwatchFile(path, this.#onChange);
    clearTimeout(this.#settling);
  }

  /** Takes up the files as they are, and says in the log what came of it. */
  reload(): void {
    this.#reload(true);
  }

  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#reload(false), SETTLE_MS).unref();
  }

  /** @param isAsked whether it is to be said, too, that nothing has changed */
  #reload(isAsked: boolean): void {
    clearTimeout(this.#settling);
    try {
      const isNew = this.certificate.renew((options) => this.server.setTls(options));
      if (isNew || isAsked) this.#sayReloaded();
    } catch (error) {
      const message = this.#messages.tlsReloadFailed(reasonOf(error));
      this.log.error({ event: 'tlsReloadFailed' }, message);
    }
  }

  #sayReloaded(): void {
    const { subject, fingerprint, validTo } = this.certificate;
    const message = this.#messages.tlsReloaded(subject, validTo.toISOString());
    this.log.info({ event: 'tlsReloaded', subject, fingerprint, validTo }, message);
    this.expiry.look();
  }
}

/** On one line. */
function reasonOf(error: unknown): string {
  const words =
    error instanceof SettingsError
      ? error.faults.map(({ name, rule }) => `${name} ${rule}`).join('; ')
      : String(error);
  return escapeControls(words);
}
