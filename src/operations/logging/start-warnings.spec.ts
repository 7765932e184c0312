import { afterEach, describe, expect, it, vi } from 'vitest';
import { readSettings } from '../config/settings.js';
import { createLog } from './log.js';
import { StartWarnings } from './start-warnings.js';

const MISSPELT = 'Variabel IDLE_TIMEOUT tidak dikenal. Maksudnya IDLE_TIMEOUT_MS?';
const ROOT = 'Layanan berjalan sebagai root, padahal tidak perlu hak istimewa.';

/** What is warned of at the start of a process. */
function warnings(uid: number, env: Record<string, string> = {}, worker?: number): unknown[] {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  vi.spyOn(process, 'getuid').mockReturnValue(uid);
  const written: string[] = [];
  const log = createLog(
    { level: 'info', format: 'json' },
    { write: (line) => void written.push(line) },
  );
  new StartWarnings(log, readSettings(env), worker).onApplicationBootstrap();
  return written.map((line) => (JSON.parse(line) as { msg: string }).msg);
}

describe('At the start', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it('a variable is warned of that was probably meant for the service', () => {
    expect(warnings(1_000, { IDLE_TIMEOUT: '5' })).toEqual([MISSPELT]);
  });

  it('root is warned of, which is not needed', () => {
    expect(warnings(0)).toEqual([ROOT]);
    expect(warnings(0, { LOCALE: 'en' })).toEqual([
      'The service runs as root, and needs no privileges.',
    ]);
  });

  it('nothing is said of an ordinary user and settings that are known', () => {
    expect(warnings(1_000, { IDLE_TIMEOUT_MS: '5' })).toEqual([]);
  });

  it('a worker says nothing, since its primary has', () => {
    expect(warnings(0, { IDLE_TIMEOUT: '5' }, 2)).toEqual([]);
  });
});
