/** The command line of the built service: what is told without starting it, and settings as flags. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { SETTING_DESCRIPTIONS } from '../../src/operations/config/setting-descriptions.js';
import { SETTING_NAMES } from '../../src/operations/config/settings.js';
import { loadedBy } from '../support/loaded.js';
import { MAIN, type Service, startService } from '../support/service.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const SECRET = 'TLS_KEY_PASSPHRASE';

function start(args: string[], env: Record<string, string> = {}): Service {
  return startService(env, [process.execPath, MAIN, ...args]);
}

/** What a program says that only tells something. */
async function told(...args: string[]): Promise<string> {
  const program = start(args, { PORT: 'not even looked at' });
  expect(await program.exit).toEqual({ code: 0, signal: null });
  expect(program.stderr).toBe('');
  return program.stdout;
}

describe('--help', () => {
  it('tells every setting in the words of its description', async () => {
    const words = (await told('--help')).replaceAll(/\s+/g, ' ');
    expect(Object.keys(SETTING_DESCRIPTIONS)).toEqual(SETTING_NAMES);
    for (const [name, description] of Object.entries(SETTING_DESCRIPTIONS)) {
      const flag = `--${name.toLowerCase().replaceAll('_', '-')}`;
      expect(words).toContain(` ${name === SECRET ? name : flag} ${description} `);
    }
    expect(words).not.toContain('--tls-key-passphrase');
  });

  it('tells the flags that are no settings, and fits in a terminal', async () => {
    const help = await told('-h');
    for (const flag of ['--help, -h', '--version, -V', '--check-config']) {
      expect(help).toContain(`\n  ${flag}\n      `);
    }
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(await told('--help', '--port', '1')).toBe(help);
  });
});

describe('--version', () => {
  it('tells the version of the package', async () => {
    const { version } = JSON.parse(
      readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
    ) as { version: string };
    expect(await told('--version')).toBe(`${version}\n`);
    expect(await told('-V')).toBe(`${version}\n`);
  });
});

describe('What only tells something', () => {
  it.each(['--help', '--version', '--nonsense'])('does not load Nest: %s', async (flag) => {
    const folder = temporaryFolder();
    const loaded = await loadedBy(start([flag], { NODE_V8_COVERAGE: folder }), folder);
    expect(loaded.some((url) => url.endsWith('/dist/main.js'))).toBe(true);
    expect(loaded.filter((url) => /@nestjs|bootstrap|line-transport/.test(url))).toEqual([]);
  });
});

describe('A flag', () => {
  it('wins over the environment', async () => {
    const env = { LOCALE: 'en', LOG_FORMAT: 'text', PORT: '1' };
    const service = start(['--port=0', '--log-format', 'json'], env);
    const [line] = await service.logs(/.*"listening".*\n/);
    expect(JSON.parse(line)).toMatchObject({ msg: expect.stringContaining('Server is up') });
  });

  it('that is empty leaves its setting unset, whatever the environment says', async () => {
    const service = start(['--locale='], { LOCALE: 'en' });
    await service.logs(/Server aktif/);
  });

  it('with a wrong value is named beside its setting, in one list with all other faults', async () => {
    const service = start(['--port', '-1', '--locale=fr'], { LOG_FORMAT: 'xml' });
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stderr).toBe(
      [
        'The settings are wrong:',
        '  --port (PORT) must be a whole number from 0 to 65535, not "-1"',
        '  --locale (LOCALE) must be id or en, not "fr"',
        '  LOG_FORMAT must be text or json, not "xml"',
        '',
      ].join('\n'),
    );
  });

  it('that there is not ends the start with 2, a plain sentence and the flag that was meant', async () => {
    const service = start(['--max-conections', '5']);
    expect(await service.exit).toEqual({ code: 2, signal: null });
    expect(service.stdout).toBe('');
    expect(service.stderr).toBe(
      'There is no flag "--max-conections". Did you mean --max-connections?\n' +
        '`time-service --help` tells what there is.\n',
    );
  });
});
