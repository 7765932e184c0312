/**
 * What `--help` says: every flag and what it is for, in the words of the settings' own descriptions.
 */
import { SECRET_SETTINGS, SETTING_DESCRIPTIONS } from '../config/setting-descriptions.js';
import { flagOf } from './flags.js';

const INDENT = '      ';
/** Lines of it fit in a terminal of 80 columns. */
const COLUMNS = 80;

const USAGE = `Usage: time-service [--check-config] [--<setting> <value>]...
       time-service --help | --version

Tells the time of day over a plain-text line protocol on TCP.

Every setting can be given as a flag, in the environment, or in a file named
.env in the working directory. A flag wins over the environment, which wins
over the file. An empty value counts as unset.`;

const ACTIONS = {
  '--help, -h': 'Prints this.',
  '--version, -V': 'Prints the version.',
  '--check-config':
    'Prints the settings that the service would run with, one NAME=value a line, and what is wrong with them; ends with 0 if nothing is, otherwise with 1. It does not listen.',
};

const EXIT_CODES = `Exit codes: 0 when it was told to stop and has closed in order, 1 when it
cannot start, 2 when the command line is not understood, 130 or 143 when a
second SIGINT or SIGTERM ended it at once.`;

/** For a terminal of 80 columns, without a line end at its end. */
export function helpText(): string {
  const settings = Object.entries(SETTING_DESCRIPTIONS);
  const flags = settings.filter(([name]) => !SECRET_SETTINGS.includes(name));
  const secrets = settings.filter(([name]) => SECRET_SETTINGS.includes(name));
  return [
    USAGE,
    list(Object.entries(ACTIONS)),
    'Settings, named after their variables: --max-connections is MAX_CONNECTIONS.',
    list(flags.map(([name, words]) => [flagOf(name), words])),
    'No flag, since everybody on the machine can read a command line:',
    list(secrets),
    EXIT_CODES,
  ].join('\n\n');
}

function list(entries: readonly (readonly [name: string, words: string])[]): string {
  return entries.map(([name, words]) => `  ${name}\n${wrapped(words)}`).join('\n');
}

function wrapped(words: string): string {
  const width = COLUMNS - INDENT.length;
  const lines = words.match(new RegExp(`.{1,${width}}(?= |$)`, 'g')) ?? [];
  return lines.map((line) => INDENT + line.trim()).join('\n');
}
