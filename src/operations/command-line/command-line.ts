/**
 * What the command line asks for: to serve with some settings, to check them, or only to be told something. Knows neither the
 * settings' values nor Nest, which is not loaded to print a help text.
 */
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { nearestName } from '../config/nearest-name.js';
import { SECRET_SETTINGS } from '../config/setting-descriptions.js';
import { FLAG_SETTINGS, flagOf, settingOf } from './flags.js';
import { helpText } from './help.js';

/** What a command line asks for. */
export type Order =
  | { readonly action: 'serve' | 'check'; readonly settings: Readonly<Record<string, string>> }
  | { readonly action: 'tell'; readonly text: string }
  | { readonly action: 'refuse'; readonly text: string };

/** The flags that are no settings, each with its letter. */
const ACTIONS = { help: 'h', version: 'V', 'check-config': undefined } as const;

const OPTIONS = {
  ...Object.fromEntries(
    FLAG_SETTINGS.map((name) => [flagOf(name).slice(2), { type: 'string' as const }]),
  ),
  ...Object.fromEntries(
    Object.entries(ACTIONS).map(([name, short]) => [
      name,
      { type: 'boolean' as const, ...(short === undefined ? {} : { short }) },
    ]),
  ),
};

type Token = ReturnType<typeof tokensOf>[number];

/** @param args what follows the program's name */
export function readCommandLine(args: readonly string[]): Order {
  const tokens = tokensOf(args);
  const fault = tokens.map(faultOf).find((found) => found !== undefined);
  if (fault !== undefined) {
    const text = `${fault}\n\`time-service --help\` tells what there is.`;
    return { action: 'refuse', text };
  }
  const flags = tokens.filter((token) => token.kind === 'option');
  const isAsked = (name: keyof typeof ACTIONS): boolean => flags.some((flag) => flag.name === name);
  if (isAsked('help')) return { action: 'tell', text: helpText() };
  if (isAsked('version')) return { action: 'tell', text: version() };
  const settings = flags.flatMap(({ name, value }) =>
    value === undefined ? [] : [[settingOf(name), value] as const],
  );
  return {
    action: isAsked('check-config') ? 'check' : 'serve',
    settings: Object.fromEntries(settings),
  };
}

/** Not `strict`: the words of its errors are about parseArgs, not about the service. */
function tokensOf(args: readonly string[]) {
  return parseArgs({ args: [...args], options: OPTIONS, strict: false, tokens: true }).tokens;
}

function faultOf(token: Token): string | undefined {
  if (token.kind === 'option-terminator') return undefined;
  if (token.kind === 'positional') {
    return `Only flags are understood, such as --port 4500, not ${JSON.stringify(token.value)}.`;
  }
  const { name, rawName, value, inlineValue } = token;
  if (Object.hasOwn(ACTIONS, name))
    return value === undefined ? undefined : `${rawName} takes no value.`;
  if (!Object.hasOwn(OPTIONS, name)) return unknownFlag(name, rawName);
  const isLeftOut = value === undefined || (!inlineValue && value.startsWith('--'));
  return isLeftOut ? `${rawName} needs a value.` : undefined;
}

function unknownFlag(name: string, rawName: string): string {
  const setting = settingOf(name);
  if (SECRET_SETTINGS.includes(setting)) {
    return `There is no ${rawName}: everybody on the machine can read a command line. Set ${setting} in the environment or in the .env file.`;
  }
  const names = [...FLAG_SETTINGS, ...Object.keys(ACTIONS).map(settingOf)];
  const meant = nearestName(setting, names);
  const hint = meant === undefined ? '' : ` Did you mean ${flagOf(meant)}?`;
  return `There is no flag ${JSON.stringify(rawName)}.${hint}`;
}

function version(): string {
  const require = createRequire(import.meta.url);
  const ours: { version: string } = require('../../../package.json');
  return ours.version;
}
