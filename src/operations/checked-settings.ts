/**
 * The settings as the service is about to run with them: with a look at the files that they name, and every fault at once, also by
 * the name of the flag that caused it.
 */
import { createRequire } from 'node:module';
import { flagOf, isSetByFlag } from './command-line/flags.js';
import {
  givenSettings,
  readSettings,
  type SettingFault,
  type Settings,
  SettingsError,
} from './config/settings.js';

const require = createRequire(import.meta.url);

/**
 * @param args the command line, whose settings are in the environment already
 * @throws {SettingsError} that names everything that is wrong
 */
export function checkedSettings(env: NodeJS.ProcessEnv, args: readonly string[]): Settings {
  const faults: SettingFault[] = [];
  const settings = attempt(() => readSettings(env), faults);
  const given = givenSettings(env);
  if (given['TLS_KEY_FILE'] !== undefined && given['TLS_CERT_FILE'] !== undefined) {
    const tls: typeof import('./tls/tls-files.js') = require('./tls/tls-files.js');
    attempt(() => tls.readTlsFiles(given), faults);
  }
  if (settings !== undefined && faults.length === 0) return settings;
  throw new SettingsError(
    faults.map(({ name, rule }) => ({
      name: isSetByFlag(name, args) ? `${flagOf(name)} (${name})` : name,
      rule,
    })),
  );
}

/** What the task gives; `undefined`, and its faults with the others, if it fails by settings. */
function attempt<Result>(task: () => Result, faults: SettingFault[]): Result | undefined {
  try {
    return task();
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    faults.push(...error.faults);
    return undefined;
  }
}
