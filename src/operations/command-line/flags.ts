/**
 * How settings are given on the command line: each has a flag that is named after its variable.
 */
import { SECRET_SETTINGS, SETTING_DESCRIPTIONS } from '../config/setting-descriptions.js';

/** The settings that have a flag. */
export const FLAG_SETTINGS = Object.keys(SETTING_DESCRIPTIONS).filter(
  (name) => !SECRET_SETTINGS.includes(name),
);

/** `--max-connections` for `MAX_CONNECTIONS`. */
export function flagOf(setting: string): string {
  return `--${setting.toLowerCase().replaceAll('_', '-')}`;
}

/** `MAX_CONNECTIONS` for `max-connections`. */
export function settingOf(flag: string): string {
  return flag.toUpperCase().replaceAll('-', '_');
}

/** Whether a setting has its value from the command line. */
export function isSetByFlag(setting: string, args: readonly string[]): boolean {
  const flag = flagOf(setting);
  return args.some((arg) => arg === flag || arg.startsWith(`${flag}=`));
}
