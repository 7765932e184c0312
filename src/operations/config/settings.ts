/**
 * The service's settings: every environment variable it reads, with unit, default and bounds. Read once, at start; every
 * fault is named at once.
 */
import { availableParallelism } from 'node:os';
import { registerAs } from '@nestjs/config';
import * as v from 'valibot';
import { isAddressRange, LINE_OPTION_BOUNDS } from '../../line-transport/index.js';
import { nearestName } from './nearest-name.js';
import { StartError } from '../start-error.js';
import { SECRET_SETTINGS } from './setting-descriptions.js';

const BOUNDS = LINE_OPTION_BOUNDS;
const DEFAULT_PORT = 45_000;

const SCHEMA = v.object({
  HOST: v.optional(v.string()),
  PORT: whole({ ...BOUNDS.port, default: DEFAULT_PORT }),
  WORKERS: workers(),
  MANAGEMENT_HOST: v.optional(v.string()),
  MANAGEMENT_PORT: v.optional(number(BOUNDS.port)),
  TIME_ZONE: v.optional(
    v.pipe(v.string(), v.check(isTimeZone, said('must be an IANA time zone such as Asia/Jakarta'))),
  ),
  LOCALE: oneOf(['id', 'en']),
  LOG_LEVEL: oneOf(['info', 'debug', 'warn', 'error', 'silent']),
  LOG_FORMAT: oneOf(['text', 'json']),
  LOG_REQUESTS: flag('true'),
  LOG_CLIENT_RATE: whole({ default: 1_000, min: 0, max: 1_000_000 }),
  TLS_KEY_FILE: v.optional(v.string()),
  TLS_CERT_FILE: v.optional(v.string()),
  TLS_CLIENT_CA_FILE: v.optional(v.string()),
  TLS_KEY_PASSPHRASE: v.optional(v.string()),
  TLS_MIN_VERSION: oneOf(['TLSv1.2', 'TLSv1.3']),
  TLS_HANDSHAKE_TIMEOUT_MS: whole({ default: 10_000, min: 1, max: 600_000 }),
  PROXY_PROTOCOL_TRUST: addresses(),
  ALLOW_ADDRESSES: addresses(),
  DENY_ADDRESSES: addresses(),
  MAX_CONNECTIONS: whole(BOUNDS.maxConnections),
  MAX_CONNECTIONS_PER_ADDRESS: v.optional(number(BOUNDS.maxConnectionsPerAddress)),
  MAX_LINE_BYTES: whole({ ...BOUNDS.maxLineBytes, min: 16 }), // room for every command and what a client may add to it
  MAX_PENDING_BYTES: whole(BOUNDS.maxPendingBytes),
  MAX_UNREAD_BYTES: whole(BOUNDS.maxUnreadBytes),
  MAX_BUFFERED_BYTES: whole(BOUNDS.maxBufferedBytes),
  MAX_PROTOCOL_ERRORS: whole(BOUNDS.maxProtocolErrors),
  LINE_GRACE_MS: whole({ ...BOUNDS.lineGraceMs, default: 200 }),
  LINE_TIMEOUT_MS: whole(BOUNDS.lineTimeoutMs),
  WRITE_TIMEOUT_MS: whole(BOUNDS.writeTimeoutMs),
  IDLE_TIMEOUT_MS: whole(BOUNDS.idleTimeoutMs),
  SHUTDOWN_DELAY_MS: whole({ default: 0, min: 0, max: 600_000 }),
  SHUTDOWN_GRACE_MS: whole(BOUNDS.shutdownGraceMs),
  REQUIRE_CLOCK_SYNC: flag('false'),
});

/** Settings that mean nothing without another one; a flag that is false asks for nothing. */
const NEEDS = [
  ['MANAGEMENT_HOST', 'MANAGEMENT_PORT'],
  ['REQUIRE_CLOCK_SYNC', 'MANAGEMENT_PORT'],
  ['TLS_KEY_FILE', 'TLS_CERT_FILE'],
  ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
  ['TLS_CLIENT_CA_FILE', 'TLS_CERT_FILE'],
  ['TLS_KEY_PASSPHRASE', 'TLS_KEY_FILE'],
] as const;

/** The settings, checked. */
export type Settings = v.InferOutput<typeof SCHEMA>;

/** Every name the service reads. */
export const SETTING_NAMES = Object.keys(SCHEMA.entries);

/** What is wrong with one setting; its name and the rule make a sentence. */
export interface SettingFault {
  readonly name: string;
  /** What it must be, and is not. */
  readonly rule: string;
}

/** The environment does not say how to run; the message lists every fault, one a line. */
export class SettingsError extends StartError {
  override readonly name = 'SettingsError';

  constructor(readonly faults: readonly SettingFault[]) {
    const lines = faults.map(({ name, rule }) => `  ${name} ${rule}`);
    super(['The settings are wrong:', ...lines].join('\n'));
  }
}

/** The settings that are set, as they are written: of a secret every blank counts. An empty variable counts as unset. */
export function givenSettings(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    SETTING_NAMES.flatMap((name) => {
      const value = env[name] ?? '';
      if (value.trim() === '') return [];
      return [[name, SECRET_SETTINGS.includes(name) ? value : value.trim()]];
    }),
  );
}

/**
 * Reads the settings.
 * @throws {SettingsError} that names every variable with a wrong value, and what it must be
 */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const given = givenSettings(env);
  const result = v.safeParse(SCHEMA, given);
  const alone = NEEDS.filter(
    ([name, needed]) => name in given && given[name] !== 'false' && !(needed in given),
  );
  const clashes = clashesOf(given);
  if (result.success && alone.length + clashes.length === 0) return result.output;
  const wrong = result.issues?.map(({ path, message }) => ({
    name: String(path?.[0].key),
    rule: message,
  }));
  throw new SettingsError([
    ...(wrong ?? []),
    ...clashes,
    ...alone.map(([name, needed]) => ({
      name,
      rule: `has no effect without ${needed}: set that, too`,
    })),
  ]);
}

/** Whatever the hosts: nobody means one number for both. */
function clashesOf(given: Record<string, string>): SettingFault[] {
  const { PORT = String(DEFAULT_PORT), MANAGEMENT_PORT } = given;
  if (PORT === '0' || PORT !== MANAGEMENT_PORT) return [];
  return [{ name: 'MANAGEMENT_PORT', rule: `must be another port than PORT, not ${PORT}, too` }];
}

/** The settings as Nest injects them: `@Inject(settings.KEY) given: Settings`. */
export const settings = registerAs('settings', () => readSettings(process.env));

/** Variables that look like one of ours misspelt, each with the name that was probably meant. */
export function misspeltSettings(env: NodeJS.ProcessEnv): { name: string; meant: string }[] {
  return Object.keys(env).flatMap((name) => {
    if (SETTING_NAMES.includes(name)) return [];
    const meant = nearestName(name, SETTING_NAMES);
    return meant === undefined ? [] : [{ name, meant }];
  });
}

interface Bounds {
  readonly min: number;
  readonly max: number;
}

function whole(bounds: Bounds & { readonly default: number }) {
  return v.optional(number(bounds), String(bounds.default));
}

function number({ min, max }: Bounds, or = '') {
  const words = said(`must be ${or}a whole number from ${min} to ${max}`);
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, words),
    v.transform(Number),
    v.minValue(min, words),
    v.maxValue(max, words),
  );
}

/** `auto` is one for each core that this process may use. */
function workers() {
  const max = 1_024;
  const cores = String(Math.min(availableParallelism(), max));
  return v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => (text === 'auto' ? cores : text)),
      number({ min: 1, max }, 'auto or '),
    ),
    '1',
  );
}

function flag(byDefault: 'true' | 'false') {
  return v.pipe(
    v.optional(v.picklist(['true', 'false'], said('must be true or false')), byDefault),
    v.transform((text) => text === 'true'),
  );
}

/** A list, whose entries are separated by commas or blanks. */
function addresses() {
  const rule = 'must be addresses or CIDR ranges such as 10.0.0.0/8, separated by commas';
  return v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => text.split(/[\s,]+/).filter((entry) => entry !== '')),
      v.array(
        v.pipe(
          v.string(),
          v.check((entry: string) => isAddressRange(entry), said(rule)),
        ),
      ),
    ),
  );
}

/** The first value is the default. */
function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return v.optional(v.picklist(values, said(`must be ${values.join(' or ')}`)), values[0]);
}

function said(rule: string) {
  return (issue: v.BaseIssue<unknown>): string => `${rule}, not ${JSON.stringify(issue.input)}`;
}

function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false; // an offset such as +07:00, which newer Node versions take too
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).format().length > 0;
  } catch {
    return false;
  }
}
