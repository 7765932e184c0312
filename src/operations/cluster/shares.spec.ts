import { describe, expect, it } from 'vitest';
import { readSettings } from '../config/settings.js';
import { sharesOf } from './shares.js';

describe('The share of one worker', () => {
  it('is a part of each limit of the whole service, rounded up; the one for an address stays as it is', () => {
    const given = readSettings({
      WORKERS: '3',
      MAX_CONNECTIONS: '100',
      MAX_CONNECTIONS_PER_ADDRESS: '10',
      MAX_BUFFERED_BYTES: '1000000',
    });
    expect(sharesOf(given)).toEqual({
      MAX_CONNECTIONS: '34',
      MAX_BUFFERED_BYTES: '333334',
    });
  });

  it('leaves it to the share of connections how many may come from one address, unless that is set', () => {
    const shares = sharesOf(readSettings({ WORKERS: '4' }));
    expect(shares).toEqual({ MAX_CONNECTIONS: '2500', MAX_BUFFERED_BYTES: '67108864' });
  });

  it('can be read as settings again, however many workers there are', () => {
    const given = readSettings({
      WORKERS: '1024',
      MAX_CONNECTIONS: '1',
      MAX_BUFFERED_BYTES: '65536',
    });
    expect(readSettings(sharesOf(given))).toMatchObject({
      MAX_CONNECTIONS: 1,
      MAX_BUFFERED_BYTES: 65_536,
    });
  });
});
