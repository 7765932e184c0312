import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { misspeltSettings, readSettings, SETTING_NAMES, SettingsError } from './settings.js';

const DEFAULTS = {
  PORT: 45_000,
  WORKERS: 1,
  TLS_MIN_VERSION: 'TLSv1.2',
  TLS_HANDSHAKE_TIMEOUT_MS: 10_000,
  LOCALE: 'id',
  LOG_LEVEL: 'info',
  LOG_FORMAT: 'text',
  LOG_REQUESTS: true,
  LOG_CLIENT_RATE: 1_000,
  MAX_CONNECTIONS: 10_000,
  MAX_LINE_BYTES: 1_024,
  MAX_PENDING_BYTES: 65_536,
  MAX_UNREAD_BYTES: 65_536,
  MAX_BUFFERED_BYTES: 268_435_456,
  MAX_PROTOCOL_ERRORS: 0,
  LINE_GRACE_MS: 200,
  LINE_TIMEOUT_MS: 60_000,
  WRITE_TIMEOUT_MS: 60_000,
  IDLE_TIMEOUT_MS: 600_000,
  SHUTDOWN_DELAY_MS: 0,
  SHUTDOWN_GRACE_MS: 10_000,
  REQUIRE_CLOCK_SYNC: false,
};

const NUMBERS = [
  { name: 'PORT', min: 0, max: 65_535 },
  { name: 'MANAGEMENT_PORT', min: 0, max: 65_535 },
  { name: 'TLS_HANDSHAKE_TIMEOUT_MS', min: 1, max: 600_000 },
  { name: 'SHUTDOWN_DELAY_MS', min: 0, max: 600_000 },
  { name: 'LOG_CLIENT_RATE', min: 0, max: 1_000_000 },
  { name: 'MAX_LINE_BYTES', min: 16, max: 1_048_576 },
  { name: 'LINE_GRACE_MS', min: 0, max: 60_000 },
  { name: 'IDLE_TIMEOUT_MS', min: 0, max: 86_400_000 },
  { name: 'MAX_CONNECTIONS', min: 1, max: 1_000_000 },
  { name: 'MAX_CONNECTIONS_PER_ADDRESS', min: 1, max: 1_000_000 },
  { name: 'MAX_PENDING_BYTES', min: 1_024, max: 1_073_741_824 },
  { name: 'MAX_UNREAD_BYTES', min: 1_024, max: 1_073_741_824 },
  { name: 'MAX_BUFFERED_BYTES', min: 65_536, max: 1_099_511_627_776 },
  { name: 'MAX_PROTOCOL_ERRORS', min: 0, max: 1_000_000 },
  { name: 'LINE_TIMEOUT_MS', min: 0, max: 86_400_000 },
  { name: 'WRITE_TIMEOUT_MS', min: 0, max: 86_400_000 },
  { name: 'SHUTDOWN_GRACE_MS', min: 0, max: 600_000 },
];

const CHOICES = [
  { name: 'LOCALE', values: ['id', 'en'] },
  { name: 'LOG_LEVEL', values: ['info', 'debug', 'warn', 'error', 'silent'] },
  { name: 'LOG_FORMAT', values: ['text', 'json'] },
  { name: 'TLS_MIN_VERSION', values: ['TLSv1.2', 'TLSv1.3'] },
];

const FLAGS = ['LOG_REQUESTS', 'REQUIRE_CLOCK_SYNC'] as const;
const LISTS = ['PROXY_PROTOCOL_TRUST', 'ALLOW_ADDRESSES', 'DENY_ADDRESSES'] as const;

/** The lines of the message that an environment is refused with; none if it is accepted. */
function faults(env: NodeJS.ProcessEnv): string[] {
  try {
    readSettings(env);
    return [];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.message.split('\n');
  }
}

function fault(name: string, value: string): string | undefined {
  return faults({ [name]: value })[1];
}

describe('readSettings', () => {
  it('runs with an empty environment: every setting has a default or may be left out', () => {
    expect(readSettings({})).toEqual(DEFAULTS);
  });

  it('takes every setting from its variable', () => {
    const settings = readSettings({
      HOST: '127.0.0.1',
      PORT: '4500',
      WORKERS: '2',
      MANAGEMENT_HOST: '0.0.0.0',
      MANAGEMENT_PORT: '9100',
      TLS_KEY_FILE: 'key.pem',
      TLS_CERT_FILE: 'cert.pem',
      TLS_CLIENT_CA_FILE: 'ca.pem',
      TLS_KEY_PASSPHRASE: 'secret',
      TLS_MIN_VERSION: 'TLSv1.3',
      TLS_HANDSHAKE_TIMEOUT_MS: '11',
      PROXY_PROTOCOL_TRUST: '10.0.0.0/8, ::1',
      ALLOW_ADDRESSES: '192.0.2.0/24',
      DENY_ADDRESSES: '192.0.2.7',
      SHUTDOWN_DELAY_MS: '10',
      REQUIRE_CLOCK_SYNC: 'true',
      TIME_ZONE: 'Asia/Jakarta',
      LOCALE: 'en',
      LOG_LEVEL: 'error',
      LOG_FORMAT: 'json',
      LOG_REQUESTS: 'false',
      LOG_CLIENT_RATE: '9',
      MAX_LINE_BYTES: '100',
      LINE_GRACE_MS: '1',
      IDLE_TIMEOUT_MS: '2',
      MAX_CONNECTIONS: '3',
      MAX_CONNECTIONS_PER_ADDRESS: '5',
      MAX_PENDING_BYTES: '2000',
      MAX_UNREAD_BYTES: '3000',
      MAX_BUFFERED_BYTES: '70000',
      MAX_PROTOCOL_ERRORS: '6',
      LINE_TIMEOUT_MS: '7',
      WRITE_TIMEOUT_MS: '8',
      SHUTDOWN_GRACE_MS: '4',
    });
    expect(settings).toEqual({
      HOST: '127.0.0.1',
      PORT: 4_500,
      WORKERS: 2,
      MANAGEMENT_HOST: '0.0.0.0',
      MANAGEMENT_PORT: 9_100,
      TLS_KEY_FILE: 'key.pem',
      TLS_CERT_FILE: 'cert.pem',
      TLS_CLIENT_CA_FILE: 'ca.pem',
      TLS_KEY_PASSPHRASE: 'secret',
      TLS_MIN_VERSION: 'TLSv1.3',
      TLS_HANDSHAKE_TIMEOUT_MS: 11,
      PROXY_PROTOCOL_TRUST: ['10.0.0.0/8', '::1'],
      ALLOW_ADDRESSES: ['192.0.2.0/24'],
      DENY_ADDRESSES: ['192.0.2.7'],
      SHUTDOWN_DELAY_MS: 10,
      REQUIRE_CLOCK_SYNC: true,
      TIME_ZONE: 'Asia/Jakarta',
      LOCALE: 'en',
      LOG_LEVEL: 'error',
      LOG_FORMAT: 'json',
      LOG_REQUESTS: false,
      LOG_CLIENT_RATE: 9,
      MAX_LINE_BYTES: 100,
      LINE_GRACE_MS: 1,
      IDLE_TIMEOUT_MS: 2,
      MAX_CONNECTIONS: 3,
      MAX_CONNECTIONS_PER_ADDRESS: 5,
      MAX_PENDING_BYTES: 2_000,
      MAX_UNREAD_BYTES: 3_000,
      MAX_BUFFERED_BYTES: 70_000,
      MAX_PROTOCOL_ERRORS: 6,
      LINE_TIMEOUT_MS: 7,
      WRITE_TIMEOUT_MS: 8,
      SHUTDOWN_GRACE_MS: 4,
    });
    expect(Object.keys(settings).toSorted()).toEqual(SETTING_NAMES.toSorted());
  });

  it('takes nothing else from the environment', () => {
    expect(readSettings({ PATH: '/bin', port: '1', TZ: 'UTC', NODE_ENV: 'test' })).toEqual(
      DEFAULTS,
    );
  });

  it.each(SETTING_NAMES)('counts an empty or a blank %s as unset', (name) => {
    for (const blank of ['', ' ', '\t \r\n']) {
      expect(readSettings({ [name]: blank })).toEqual(DEFAULTS);
    }
  });

  it('ignores blanks around a value', () => {
    const given = { PORT: ' 4500\r', HOST: '\t::1 ', LOCALE: 'en ', TIME_ZONE: ' Asia/Tokyo' };
    expect(readSettings(given)).toEqual({
      ...DEFAULTS,
      PORT: 4_500,
      HOST: '::1',
      LOCALE: 'en',
      TIME_ZONE: 'Asia/Tokyo',
    });
  });

  it('takes a passphrase as it is, blanks around it included', () => {
    const files = { TLS_KEY_FILE: 'key.pem', TLS_CERT_FILE: 'cert.pem' };
    const { TLS_KEY_PASSPHRASE } = readSettings({ ...files, TLS_KEY_PASSPHRASE: ' secret ' });
    expect(TLS_KEY_PASSPHRASE).toBe(' secret ');
  });

  it('names every fault at once, one a line, in plain words, and nothing that is right', () => {
    const env = {
      HOST: '127.0.0.1',
      PORT: '70000',
      TIME_ZONE: 'Asia/Jakata',
      LOCALE: 'fr',
      LOG_LEVEL: 'info',
      LOG_FORMAT: 'xml',
      LOG_REQUESTS: 'yes',
      MAX_LINE_BYTES: '8',
      SHUTDOWN_GRACE_MS: '10s',
    };
    expect(faults(env)).toEqual([
      'The settings are wrong:',
      '  PORT must be a whole number from 0 to 65535, not 70000',
      '  TIME_ZONE must be an IANA time zone such as Asia/Jakarta, not "Asia/Jakata"',
      '  LOCALE must be id or en, not "fr"',
      '  LOG_FORMAT must be text or json, not "xml"',
      '  LOG_REQUESTS must be true or false, not "yes"',
      '  MAX_LINE_BYTES must be a whole number from 16 to 1048576, not 8',
      '  SHUTDOWN_GRACE_MS must be a whole number from 0 to 600000, not "10s"',
    ]);
  });

  it.each(NUMBERS)('takes $name at its bounds, $min and $max', ({ name, min, max }) => {
    expect(readSettings({ [name]: String(min) })).toEqual({ ...DEFAULTS, [name]: min });
    expect(readSettings({ [name]: String(max) })).toEqual({ ...DEFAULTS, [name]: max });
  });

  it.each(NUMBERS)('refuses $name beyond its bounds and says them', ({ name, min, max }) => {
    const rule = `  ${name} must be a whole number from ${min} to ${max}, not `;
    expect(fault(name, String(max + 1))).toBe(`${rule}${max + 1}`);
    expect(fault(name, String(min - 1))?.replaceAll('"', '')).toBe(`${rule}${min - 1}`);
  });

  it.each(NUMBERS)('refuses a $name that is no whole number, and says so once', ({ name }) => {
    const wrong = ['-1', '+20', '20.0', '2e1', '0x20', '20ms', '1_000', 'Infinity', 'NaN', '٢٠'];
    for (const value of [...wrong, '9'.repeat(400)]) {
      expect(faults({ [name]: value })).toHaveLength(2);
    }
  });

  it.each(CHOICES)('takes $values for $name and nothing else', ({ name, values }) => {
    for (const value of values) {
      expect(readSettings({ [name]: value })).toEqual({ ...DEFAULTS, [name]: value });
      expect(fault(name, value.toUpperCase())).toBe(
        `  ${name} must be ${values.join(' or ')}, not "${value.toUpperCase()}"`,
      );
    }
  });

  it.each(FLAGS)('takes true and false for %s and nothing that resembles them', (name) => {
    expect(readSettings({ [name]: 'true', MANAGEMENT_PORT: '0' })[name]).toBe(true);
    expect(readSettings({ [name]: 'false' })[name]).toBe(false);
    for (const value of ['TRUE', 'False', '1', '0', 'on', 'no']) {
      expect(fault(name, value)).toBe(`  ${name} must be true or false, not "${value}"`);
    }
  });

  it('takes a number of processes for WORKERS, and auto for one a core', () => {
    for (const number of [1, 2, 1_024]) {
      expect(readSettings({ WORKERS: String(number) }).WORKERS).toBe(number);
    }
    expect(readSettings({ WORKERS: 'auto' }).WORKERS).toBe(availableParallelism());
    for (const value of ['0', '1025', 'AUTO', 'two', '-1', '1.5']) {
      expect(faults({ WORKERS: value })).toHaveLength(2);
      expect(fault('WORKERS', value)?.replaceAll('"', '')).toBe(
        `  WORKERS must be auto or a whole number from 1 to 1024, not ${value}`,
      );
    }
  });

  it.each(LISTS)('takes addresses and ranges for %s, with commas and blanks between', (name) => {
    expect(readSettings({ [name]: ' 10.0.0.0/8,::1 , 192.0.2.7,' })[name]).toEqual([
      '10.0.0.0/8',
      '::1',
      '192.0.2.7',
    ]);
    expect(faults({ [name]: '10.0.0.0/8, localhost, 10.0.0.0/33' })).toEqual([
      'The settings are wrong:',
      `  ${name} must be addresses or CIDR ranges such as 10.0.0.0/8, separated by commas, not "localhost"`,
      `  ${name} must be addresses or CIDR ranges such as 10.0.0.0/8, separated by commas, not "10.0.0.0/33"`,
    ]);
  });

  it.each([
    ['MANAGEMENT_HOST', 'MANAGEMENT_PORT'],
    ['TLS_KEY_FILE', 'TLS_CERT_FILE'],
    ['TLS_CERT_FILE', 'TLS_KEY_FILE'],
    ['TLS_KEY_PASSPHRASE', 'TLS_KEY_FILE'],
    ['TLS_CLIENT_CA_FILE', 'TLS_CERT_FILE'],
  ])('refuses %s without %s, beside other faults', (name, needed) => {
    expect(faults({ [name]: 'x', PORT: '-1' })).toEqual([
      'The settings are wrong:',
      expect.stringContaining('PORT must be'),
      `  ${name} has no effect without ${needed}: set that, too`,
    ]);
  });

  it('refuses one port for both clients and management, unless each takes a free one', () => {
    expect(faults({ PORT: '9000', MANAGEMENT_PORT: '9000', WORKERS: 'x' })).toEqual([
      'The settings are wrong:',
      expect.stringContaining('WORKERS must be'),
      '  MANAGEMENT_PORT must be another port than PORT, not 9000, too',
    ]);
    expect(() => readSettings({ PORT: '0', MANAGEMENT_PORT: '0' })).not.toThrow();
  });

  it('refuses REQUIRE_CLOCK_SYNC=true alone: nobody could ask whether it is ready', () => {
    expect(faults({ REQUIRE_CLOCK_SYNC: 'true' })).toEqual([
      'The settings are wrong:',
      '  REQUIRE_CLOCK_SYNC has no effect without MANAGEMENT_PORT: set that, too',
    ]);
  });

  it.each(['Asia/Jakarta', 'Asia/Makassar', 'UTC', 'America/Argentina/Buenos_Aires', 'Etc/GMT-7'])(
    'takes %s for a time zone',
    (zone) => {
      expect(readSettings({ TIME_ZONE: zone }).TIME_ZONE).toBe(zone);
    },
  );

  it.each(['WIB', 'Jakarta', 'Asia', 'Asia/Jakarta/', 'GMT+25', '../etc/localtime', '7', '+07:00'])(
    'refuses %s for a time zone',
    (zone) => {
      expect(fault('TIME_ZONE', zone)).toBe(
        `  TIME_ZONE must be an IANA time zone such as Asia/Jakarta, not "${zone}"`,
      );
    },
  );

  it('quotes a wrong value so that it cannot break the line', () => {
    expect(fault('LOCALE', 'fr\n  PORT is fine\u001b[2J')).toBe(
      '  LOCALE must be id or en, not "fr\\n  PORT is fine\\u001b[2J"',
    );
  });
});

describe('misspeltSettings', () => {
  it.each([
    ['IDLE_TIMEOUT', 'IDLE_TIMEOUT_MS'],
    ['MAX_LINE', 'MAX_LINE_BYTES'],
    ['SHUTDOWN_GRACE', 'SHUTDOWN_GRACE_MS'],
    ['TIMEZONE', 'TIME_ZONE'],
    ['LOG_REQUEST', 'LOG_REQUESTS'],
    ['LOG_CLIENT', 'LOG_CLIENT_RATE'],
    ['LOGLEVEL', 'LOG_LEVEL'],
    ['LOG_FROMAT', 'LOG_FORMAT'],
    ['MAX_CONECTIONS', 'MAX_CONNECTIONS'],
    ['LOCAL', 'LOCALE'],
    ['HOSTS', 'HOST'],
  ])('takes %s for %s', (name, meant) => {
    expect(misspeltSettings({ [name]: '1' })).toEqual([{ name, meant }]);
  });

  it.each([
    'HOME',
    'HOSTNAME',
    'PATH',
    'LANG',
    'TZ',
    'SHELL',
    'TERM',
    'USER',
    'LOGNAME',
    'PWD',
    'OLDPWD',
    'SHLVL',
    'MAIL',
    '_',
    'LC_ALL',
    'NODE_ENV',
    'NODE_OPTIONS',
    'npm_config_x',
    'npm_package_version',
    'KUBERNETES_SERVICE_HOST',
    'KUBERNETES_SERVICE_PORT',
    'KUBERNETES_PORT',
    'INVOCATION_ID',
    'JOURNAL_STREAM',
  ])('leaves %s alone: the system sets it', (name) => {
    expect(misspeltSettings({ [name]: '1' })).toEqual([]);
  });

  it('finds no fault with the settings themselves', () => {
    expect(misspeltSettings(Object.fromEntries(SETTING_NAMES.map((name) => [name, '1'])))).toEqual(
      [],
    );
  });

  it('names every misspelt variable, in the order of the environment', () => {
    expect(misspeltSettings({ LOG_REQUEST: '1', PATH: '/', IDLE_TIMEOUT: '5' })).toEqual([
      { name: 'LOG_REQUEST', meant: 'LOG_REQUESTS' },
      { name: 'IDLE_TIMEOUT', meant: 'IDLE_TIMEOUT_MS' },
    ]);
  });
});
