/**
 * The files that TLS needs: read, and checked before anything relies on them. Every fault is named, with the setting that is to be
 * changed. Knows nothing of who uses them.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type SettingFault, type Settings, SettingsError } from '../config/settings.js';

/** The settings that name the files. */
export type TlsFileSettings = Partial<
  Pick<Settings, 'TLS_KEY_FILE' | 'TLS_CERT_FILE' | 'TLS_CLIENT_CA_FILE' | 'TLS_KEY_PASSPHRASE'>
>;

/** What the files contain. */
export interface TlsMaterial {
  readonly key: string;
  readonly passphrase: string | undefined;
  /** The server's own certificate, then those that it is signed by. */
  readonly cert: string;
  /** Who signs the certificates of clients; `undefined` if they need none. */
  readonly ca: string | undefined;
  /** The server's own certificate. */
  readonly certificate: X509Certificate;
}

type FileSetting = Exclude<keyof TlsFileSettings, 'TLS_KEY_PASSPHRASE'>;

/** Why a file cannot be read, in words. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is none of that name',
  EACCES: 'this user may not read it',
  EISDIR: 'that is a directory',
};

/**
 * Reads what TLS needs. A certificate that has expired is no fault: the clock may be the one that is wrong.
 * @throws {SettingsError} that names everything that is wrong
 */
export function readTlsFiles(given: TlsFileSettings): TlsMaterial {
  const faults: SettingFault[] = [];
  const read = (name: FileSetting): string | undefined => readText(name, given[name], faults);
  const [key, cert, ca] = [read('TLS_KEY_FILE'), read('TLS_CERT_FILE'), read('TLS_CLIENT_CA_FILE')];
  const passphrase = given.TLS_KEY_PASSPHRASE;
  const privateKey = key === undefined ? undefined : parseKey(key, given, faults);
  const [certificate] = parseCertificates('TLS_CERT_FILE', cert, given, faults);
  parseCertificates('TLS_CLIENT_CA_FILE', ca, given, faults);
  if (privateKey !== undefined && certificate?.checkPrivateKey(privateKey) === false) {
    const rule = 'must be the key of the first certificate in TLS_CERT_FILE, and is not';
    faults.push({ name: 'TLS_KEY_FILE', rule });
  }
  if (faults.length > 0 || key === undefined || cert === undefined || certificate === undefined) {
    throw new SettingsError(faults);
  }
  return accepted({ key, passphrase, cert, ca, certificate });
}

function readText(
  name: FileSetting,
  path: string | undefined,
  faults: SettingFault[],
): string | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const reason = REASONS[code] ?? code;
    faults.push({
      name,
      rule: `must name a file that can be read, not ${quoted(path)}: ${reason}`,
    });
    return undefined;
  }
}

function parseKey(
  pem: string,
  { TLS_KEY_FILE: path, TLS_KEY_PASSPHRASE: passphrase }: TlsFileSettings,
  faults: SettingFault[],
): KeyObject | undefined {
  const isEncrypted = /ENCRYPTED/.test(pem); // in the first line (RFC 7468) or the second one (RFC 1421)
  if (isEncrypted && passphrase === undefined) {
    const rule = 'must be set, since the key in TLS_KEY_FILE is encrypted';
    faults.push({ name: 'TLS_KEY_PASSPHRASE', rule });
    return undefined;
  }
  try {
    return createPrivateKey({ key: pem, passphrase });
  } catch {
    faults.push(
      isEncrypted
        ? {
            name: 'TLS_KEY_PASSPHRASE',
            rule: 'must be what the key in TLS_KEY_FILE is encrypted with, and is not',
          }
        : {
            name: 'TLS_KEY_FILE',
            rule: `must name a file with a private key in PEM form, not ${quoted(path)}`,
          },
    );
    return undefined;
  }
}

/** Every certificate of a file, of which there must be one: a last one that is cut off is a file that is being written. */
function parseCertificates(
  name: FileSetting,
  pem: string | undefined,
  given: TlsFileSettings,
  faults: SettingFault[],
): X509Certificate[] {
  if (pem === undefined) return [];
  const blocks = pem.split(/(?=-----BEGIN )/).filter((block) => /^-+BEGIN CERT/.test(block));
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block));
  } catch {
    // It is no certificate: the same.
  }
  const rule = `must name a file with whole certificates in PEM form, not ${quoted(given[name])}`;
  faults.push({ name, rule });
  return [];
}

/** OpenSSL has rules of its own, against keys that are too short, say. */
function accepted(material: TlsMaterial): TlsMaterial {
  try {
    createSecureContext(material);
    return material;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SettingsError([{ name: 'TLS_CERT_FILE', rule: `is refused by OpenSSL: ${reason}` }]);
  }
}

function quoted(path: string | undefined): string {
  return JSON.stringify(path);
}
