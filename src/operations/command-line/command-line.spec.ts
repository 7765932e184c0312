import { describe, expect, it } from 'vitest';
import { SETTING_DESCRIPTIONS } from '../config/setting-descriptions.js';
import { readCommandLine } from './command-line.js';

const SETTINGS = Object.keys(SETTING_DESCRIPTIONS);
const SECRET = 'TLS_KEY_PASSPHRASE';

/** What a command line is refused with, without the last line, which is always the same. */
function refusal(...args: string[]): string | undefined {
  const order = readCommandLine(args);
  if (order.action !== 'refuse') return undefined;
  const [fault, ...rest] = order.text.split('\n');
  expect(rest).toEqual(['`time-service --help` tells what there is.']);
  return fault;
}

describe('A command line', () => {
  it('without a word asks to serve', () => {
    expect(readCommandLine([])).toEqual({ action: 'serve', settings: {} });
  });

  it.each(SETTINGS.filter((name) => name !== SECRET))('gives %s with a flag', (name) => {
    const flag = `--${name.toLowerCase().replaceAll('_', '-')}`;
    const order = { action: 'serve', settings: { [name]: 'x' } };
    expect(readCommandLine([flag, 'x'])).toEqual(order);
    expect(readCommandLine([`${flag}=x`])).toEqual(order);
  });

  it('gives many settings, and the last of two values', () => {
    const args = ['--port', '1', '--log-requests', 'false', '--port=2', '--host', '::1'];
    expect(readCommandLine(args)).toEqual({
      action: 'serve',
      settings: { PORT: '2', LOG_REQUESTS: 'false', HOST: '::1' },
    });
  });

  it('gives values that are empty, negative, or have an = or blanks in them', () => {
    const args = ['--host=', '--port', '-1', '--tls-key-file=a=b c', '--time-zone', ''];
    expect(readCommandLine(args)).toMatchObject({
      settings: { HOST: '', PORT: '-1', TLS_KEY_FILE: 'a=b c', TIME_ZONE: '' },
    });
  });

  it('asks to check the settings that it gives', () => {
    expect(readCommandLine(['--port', '1', '--check-config'])).toEqual({
      action: 'check',
      settings: { PORT: '1' },
    });
  });

  it.each([
    ['--max-conections', '--max-connections'],
    ['--idle-timeout', '--idle-timeout-ms'],
    ['--timezone', '--time-zone'],
    ['--prt', '--port'],
    ['--MAX_CONNECTIONS', '--max-connections'],
    ['--check-confg', '--check-config'],
    ['--vesion', '--version'],
  ])('with %s is refused, and asked whether it meant %s', (wrong, meant) => {
    const words = `There is no flag "${wrong}". Did you mean ${meant}?`;
    expect(refusal(wrong, '5')).toBe(words);
    expect(refusal(`${wrong}=5`)).toBe(words);
  });

  it.each(['--colour', '-p', '-x', '--no-port', '--constructor', '--toString', '--__proto__'])(
    'with %s, like nothing there is, is refused',
    (wrong) => {
      expect(refusal(wrong)).toBe(`There is no flag "${wrong}".`);
    },
  );

  it.each([['--port'], ['--log-requests', '--port', '1'], ['--host', '--help']])(
    'that leaves out a value is refused: %s',
    (...args) => {
      expect(refusal(...args)).toBe(`${args[0]} needs a value.`);
    },
  );

  it.each([['--help=1'], ['--version=true'], ['--check-config=no']])(
    'with %s is refused',
    (flag) => {
      expect(refusal(flag)).toBe(`${flag.replace(/=.*/, '')} takes no value.`);
    },
  );

  it('with a word that is no flag is refused', () => {
    expect(refusal('4500')).toBe('Only flags are understood, such as --port 4500, not "4500".');
    expect(refusal('--check-config', 'yes')).toContain('not "yes".');
  });

  it('cannot give a secret, and is told where to put it', () => {
    for (const args of [['--tls-key-passphrase', 'x'], ['--tls-key-passphrase=x']]) {
      expect(refusal(...args)).toBe(
        'There is no --tls-key-passphrase: everybody on the machine can read a command line. ' +
          'Set TLS_KEY_PASSPHRASE in the environment or in the .env file.',
      );
    }
  });

  it('is refused with a word that cannot break the line', () => {
    expect(refusal('a\n\u001b[2J')).toContain('not "a\\n\\u001b[2J".');
    expect(refusal('--a\n\u001b[2J')).toBe('There is no flag "--a\\n\\u001b[2J".');
  });
});
