/**
 * TlsExpiry: warns in the log of a certificate that is not valid, or soon is no longer; when the service starts, when there is another
 * certificate, and once a day.
 */
import {
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { type Settings, settings } from '../config/settings.js';
import { LOG, type Log } from '../logging/log.js';
import { LOG_MESSAGES, type LogMessages } from '../logging/log-messages.js';
import { TlsCertificate } from './tls-certificate.js';

const DAY_MS = 86_400_000;
/** Certificates are renewed when a third of their time is left, a month of 90 days: two weeks before the end that has failed. */
const WARNING_MS = 14 * DAY_MS;

@Injectable()
export class TlsExpiry implements OnApplicationBootstrap, OnApplicationShutdown {
  #timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(TlsCertificate) private readonly certificate: TlsCertificate,
    @Inject(LOG) private readonly log: Log,
    @Inject(settings.KEY) private readonly given: Settings,
  ) {}

  onApplicationBootstrap(): void {
    this.look();
    this.#timer = setInterval(() => this.look(), DAY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.#timer);
  }

  /** Warns, if there is reason to. */
  look(): void {
    const warning = expiryWarning(this.certificate, LOG_MESSAGES[this.given.LOCALE]);
    if (warning !== undefined) this.log.warn(warning.fields, warning.message);
  }
}

/** What the log says of a certificate that is not valid, or soon is no longer; `undefined` if it is well. */
export function expiryWarning(
  { subject, validFrom, validTo }: TlsCertificate,
  messages: LogMessages,
): { fields: object; message: string } | undefined {
  const now = Date.now();
  if (now < validFrom.getTime()) {
    const message = messages.tlsCertificateNotYetValid(subject, validFrom.toISOString());
    return { fields: { event: 'tlsCertificateNotYetValid', subject, validFrom }, message };
  }
  if (now > validTo.getTime() - WARNING_MS) {
    const message = messages.tlsCertificateExpires(subject, validTo.toISOString());
    return { fields: { event: 'tlsCertificateExpires', subject, validTo }, message };
  }
  return undefined;
}
