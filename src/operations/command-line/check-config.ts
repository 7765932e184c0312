/**
 * What `--check-config` does: everything that a start does before it listens, and then says what it would run with. It reads as much
 * of Nest as finds the .env file, and starts nothing.
 */
import { ConfigModule } from '@nestjs/config';
import { checkedSettings } from '../checked-settings.js';
import { SECRET_SETTINGS, SETTING_DESCRIPTIONS } from '../config/setting-descriptions.js';
import { misspeltSettings, type Settings, SettingsError } from '../config/settings.js';
import { escapeControls } from '../logging/escape.js';
import { LOG_MESSAGES } from '../logging/log-messages.js';
import { TlsCertificate } from '../tls/tls-certificate.js';
import { expiryWarning } from '../tls/tls-expiry.js';

/**
 * Prints every setting, one `NAME=value` a line, and on standard error what the log would warn of.
 * @throws {SettingsError} that names everything for which the service would not start
 */
async function checkConfig(): Promise<void> {
  await ConfigModule.forRoot(); // reads the .env file, as the service does
  for (const { name, meant } of misspeltSettings(process.env)) {
    console.error(LOG_MESSAGES.en.settingMisspelt(escapeControls(name), meant));
  }
  const given = checkedSettings(process.env, process.argv.slice(2));
  if (given.TLS_CERT_FILE !== undefined) {
    const warning = expiryWarning(new TlsCertificate(given), LOG_MESSAGES.en);
    if (warning !== undefined) console.error(warning.message);
  }
  console.log(effective(given));
}

/** Nothing follows the name of a setting that is not set. */
function effective(given: Settings): string {
  const values: Readonly<Record<string, Settings[keyof Settings]>> = given;
  const lines = Object.keys(SETTING_DESCRIPTIONS).map((name) => {
    const value = String(values[name] ?? '');
    return `${name}=${value !== '' && SECRET_SETTINGS.includes(name) ? '(hidden)' : value}`;
  });
  return lines.join('\n');
}

checkConfig().catch((error: unknown) => {
  console.error(error instanceof SettingsError ? error.message : error);
  process.exitCode = 1;
});
