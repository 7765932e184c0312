import { describe, expect, it } from 'vitest';
import { readSettings } from '../config/settings.js';
import { workerEnvironment } from './worker-environment.js';

describe('A worker', () => {
  it('goes by what the primary goes by where both must agree, whatever a .env file says by now', () => {
    const given = { WORKERS: '3', MANAGEMENT_PORT: '9000', SHUTDOWN_GRACE_MS: '700' };
    expect(workerEnvironment(readSettings(given))).toMatchObject(given);
    expect(workerEnvironment(readSettings({}))).toMatchObject({
      WORKERS: '1',
      MANAGEMENT_PORT: '', // counts as unset, and hides the one of a file
      SHUTDOWN_GRACE_MS: '10000',
    });
  });
});
