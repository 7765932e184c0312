import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SETTING_DESCRIPTIONS } from '../../src/operations/config/setting-descriptions.js';
import { readSettings, SETTING_NAMES } from '../../src/operations/config/settings.js';

const EXAMPLE = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');

/** Every setting of the file: the comment above it, its name and the value it is commented out with. */
const ENTRIES = Array.from(
  EXAMPLE.matchAll(/^# (?<comment>.+)\n#(?<name>[^ =]+)=(?<value>.*)$/gm),
  ({ groups: { comment = '', name = '', value = '' } = {} }) => ({ comment, name, value }),
);
const BOUNDED = ENTRIES.flatMap(({ comment, name }) => {
  const [, min, max] = / from (\d+) to (\d+)[.;]/.exec(comment) ?? [];
  return min === undefined || max === undefined ? [] : [{ name, min, max }];
});
const LISTS = ENTRIES.filter(({ comment }) =>
  comment.includes('(addresses or CIDR ranges, separated by commas)'),
).map(({ name }) => name);
/** Any text will do for these, as far as can be known before they are used. */
const TEXTS = [
  'HOST',
  'MANAGEMENT_HOST',
  'TLS_KEY_FILE',
  'TLS_CERT_FILE',
  'TLS_CLIENT_CA_FILE',
  'TLS_KEY_PASSPHRASE',
];
const CHOICES = ENTRIES.flatMap(({ comment, name }) => {
  const [, values] = /: ([\w.]+(?: or [\w.]+)+)\. /.exec(comment) ?? [];
  return values === undefined ? [] : [{ name, values: values.split(' or ') }];
});

describe('.env.example', () => {
  it('has every setting once, in the order of the code, and nothing else', () => {
    expect(ENTRIES.map(({ name }) => name)).toEqual(SETTING_NAMES);
    expect(EXAMPLE.match(/^[^\n]*=[^\n]*$/gm)).toEqual(
      ENTRIES.map(({ name, value }) => `#${name}=${value}`),
    );
  });

  it('has the words of --help', () => {
    const comments = Object.fromEntries(ENTRIES.map(({ name, comment }) => [name, comment]));
    expect(comments).toEqual(SETTING_DESCRIPTIONS);
  });

  it('sets nothing until something is uncommented', () => {
    expect(parseEnv(EXAMPLE)).toEqual({});
  });

  it('changes nothing when everything in it is uncommented', () => {
    const uncommented = parseEnv(EXAMPLE.replaceAll(/^#(?! )/gm, ''));
    expect(Object.keys(uncommented).toSorted()).toEqual(SETTING_NAMES.toSorted());
    expect(readSettings(uncommented)).toEqual(readSettings({}));
  });

  it.each(ENTRIES)('says the default of $name in words, too', ({ comment, value }) => {
    expect(comment).toMatch(
      value === '' ? / Default: \w.+\.$/ : new RegExp(` Default: ${value}\\.$`),
    );
  });

  it('states the bounds of every number and the choices of everything that is chosen', () => {
    const stated = [...[...BOUNDED, ...CHOICES].map(({ name }) => name), ...LISTS];
    expect([...TEXTS, 'TIME_ZONE', ...stated].toSorted()).toEqual(SETTING_NAMES.toSorted());
  });

  it.each(BOUNDED)('states the bounds of $name that are enforced', ({ name, min, max }) => {
    for (const value of [min, max]) {
      expect(readSettings({ [name]: value })).toMatchObject({ [name]: Number(value) });
    }
    for (const value of [Number(min) - 1, Number(max) + 1]) {
      expect(() => readSettings({ [name]: String(value) })).toThrow(`from ${min} to ${max}`);
    }
  });

  it.each(CHOICES)('states the choices of $name that are offered', ({ name, values }) => {
    for (const value of values) {
      expect(() => readSettings({ [name]: value, MANAGEMENT_PORT: '0' })).not.toThrow();
    }
    expect(() => readSettings({ [name]: 'other' })).toThrow(
      `${name} must be ${values.join(' or ')},`,
    );
  });

  it.each(['_MS', '_BYTES'])('states the unit of what ends in %s', (unit) => {
    const word = { _MS: 'Milliseconds ', _BYTES: ' bytes ' }[unit] ?? '';
    const measured = ENTRIES.filter(({ name }) => name.endsWith(unit));
    expect(measured.length).toBeGreaterThan(0);
    for (const { comment } of measured) expect(comment).toContain(word);
  });
});
