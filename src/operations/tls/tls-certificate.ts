/**
 * TlsCertificate: what new clients are shown, as the files were when they were last read. Knows nothing of when that is to be done.
 */
import type { TlsOptions } from 'node:tls';
import { Inject, Injectable } from '@nestjs/common';
import { type Settings, settings } from '../config/settings.js';
import { readTlsFiles, type TlsMaterial } from './tls-files.js';

@Injectable()
export class TlsCertificate {
  #material: TlsMaterial;

  /** @throws {SettingsError} that names everything that is wrong with the files */
  constructor(@Inject(settings.KEY) private readonly given: Settings) {
    this.#material = readTlsFiles(given);
  }

  /** When it begins to be valid. */
  get validFrom(): Date {
    return new Date(this.#material.certificate.validFrom);
  }

  /** When it expires. */
  get validTo(): Date {
    return new Date(this.#material.certificate.validTo);
  }

  /** Whose it is: `CN=time.example.com`; by its first names, if it has no subject. */
  get subject(): string {
    const { subject, subjectAltName } = this.#material.certificate;
    return (subject || (subjectAltName ?? '')).replaceAll('\n', ', ');
  }

  /** SHA-256, as `openssl x509 -fingerprint -sha256` prints it. */
  get fingerprint(): string {
    return this.#material.certificate.fingerprint256;
  }

  /** For `tls.createServer`. */
  get options(): TlsOptions {
    return this.#optionsOf(this.#material);
  }

  /**
   * Reads the files again.
   * @param use takes the new options; if it throws, or the files are wrong, all stays as it is
   * @returns whether they say something new
   * @throws {SettingsError} that names everything that is wrong with the files
   */
  renew(use: (options: TlsOptions) => void): boolean {
    const old = this.#material;
    const material = readTlsFiles(this.given);
    use(this.#optionsOf(material));
    this.#material = material;
    return material.key !== old.key || material.cert !== old.cert || material.ca !== old.ca;
  }

  #optionsOf({ key, passphrase, cert, ca }: TlsMaterial): TlsOptions {
    const { TLS_MIN_VERSION: minVersion, TLS_HANDSHAKE_TIMEOUT_MS: handshakeTimeout } = this.given;
    const clients = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true };
    return { key, passphrase, cert, minVersion, handshakeTimeout, ...clients };
  }
}
