import { utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/temporary-folder.js';
import {
  parseAdjtimex,
  parseChrony,
  parseTimedatectl,
  program,
  timesyncd,
} from './clock-sources.js';

const SOON = AbortSignal.timeout(600_000);

/** When the first of these was written, a little later. */
const NOW = 1_795_878_700_000;
const HOUR_MS = 3_600_000;

/** As chrony 4.3 wrote them. */
const CHRONY = {
  synchronized:
    '7F000001,127.0.0.1,9,1795878696.459071854,-0.000001142,-0.000000061,0.000000210,-3.156,-0.064,4.209,0.000003299,0.000002842,0.0,Normal\n',
  notYet:
    '00000000,,0,0.000000000,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,1.000000000,1.000000000,0.0,Not synchronised\n',
  local:
    '7F7F0101,,8,1795878669.258857290,0.000000000,0.000000000,0.000000000,0.000,0.000,0.000,0.000000000,0.000000000,0.0,Normal\n',
};

/** As Debian's adjtimex 1.29 and busybox 1.35 wrote them; the kernel's status is put in. */
const ADJTIMEX = (status: number): string =>
  `         mode: 0\n       offset: 0\n    frequency: 0\n     maxerror: 16000000\n     esterror: 16000000\n       status: ${status}\ntime_constant: 2\n    precision: 1\n    tolerance: 32768000\n         tick: 10000\n     raw time:  1795878073s 438631us = 1795878073.438631\n return value = 5\n`;
const BUSYBOX = (status: string): string =>
  `    mode:         0\n-o  offset:       0 us\n-f  freq.adjust:  0 (65536 = 1ppm)\n    maxerror:     16000000\n    esterror:     16000000\n    status:       ${status}\n-p  timeconstant: 2\n`;

describe('what chrony says', () => {
  it('is that the clock is synchronized, and by how much it is ahead', () => {
    expect(parseChrony(CHRONY.synchronized, NOW)).toEqual({
      state: 'synchronized',
      source: 'chrony',
      offsetSeconds: 0.000_001_142,
    });
  });

  it.each(['Insert second', 'Delete second'])('is that it is, also before a leap: %s', (leap) => {
    const said = CHRONY.synchronized.replace('Normal', leap);
    expect(parseChrony(said, NOW)).toMatchObject({ state: 'synchronized' });
  });

  it.each(['notYet', 'local'] as const)('is that it is not: %s', (said) => {
    expect(parseChrony(CHRONY[said], NOW)).toEqual({ state: 'unsynchronized', source: 'chrony' });
  });

  it('is that it is no longer, if it has measured nothing for more than an hour: it has lost its servers', () => {
    expect(parseChrony(CHRONY.synchronized, NOW + HOUR_MS)).toMatchObject({
      state: 'synchronized',
    });
    expect(parseChrony(CHRONY.synchronized, NOW + 2 * HOUR_MS)).toEqual({
      state: 'unsynchronized',
      source: 'chrony',
    });
  });

  it.each(['', '506 Cannot talk to daemon\n', 'a,b,c\n'])('is nothing: %j', (said) => {
    expect(parseChrony(said)).toBeUndefined();
  });
});

describe('what the kernel says', () => {
  it.each([
    ['adjtimex', ADJTIMEX(64), 'unsynchronized'],
    ['adjtimex', ADJTIMEX(8_257), 'unsynchronized'],
    ['adjtimex', ADJTIMEX(8_193), 'synchronized'],
    ['busybox', BUSYBOX('64 (UNSYNC)'), 'unsynchronized'],
    ['busybox', BUSYBOX('1 (PLL)'), 'synchronized'],
  ])('through %s is read from its status', (_, said, state) => {
    expect(parseAdjtimex(said)).toEqual({ state, source: 'kernel' });
  });

  it('through timedatectl is yes or no', () => {
    expect(parseTimedatectl('yes\n')).toEqual({ state: 'synchronized', source: 'kernel' });
    expect(parseTimedatectl('no\n')).toEqual({ state: 'unsynchronized', source: 'kernel' });
    expect(parseTimedatectl('\n')).toBeUndefined();
  });

  it('is nothing where it may not be asked', () => {
    expect(parseAdjtimex('adjtimex: Operation not permitted\n')).toBeUndefined();
  });
});

describe('what timesyncd leaves behind', () => {
  function touched(minutesAgo: number): string {
    const file = join(temporaryFolder(), 'synchronized');
    writeFileSync(file, '');
    const then = Date.now() / 1_000 - minutesAgo * 60;
    utimesSync(file, then, then);
    return file;
  }

  it('says that the clock is synchronized while it is not older than an hour', async () => {
    const report = { state: 'synchronized', source: 'timesyncd' };
    expect(await timesyncd(touched(0))(SOON)).toEqual(report);
    expect(await timesyncd(touched(60))(SOON)).toEqual(report);
  });

  it('says nothing when it is old, or not there', async () => {
    expect(await timesyncd(touched(70))(SOON)).toBeUndefined();
    expect(await timesyncd(join(temporaryFolder(), 'none'))(SOON)).toBeUndefined();
  });
});

describe('a program that is asked', () => {
  const said = (text: string) => ({
    state: 'synchronized' as const,
    source: 'kernel' as const,
    text,
  });

  it('is heard', async () => {
    expect(await program(['echo', 'yes'], parseTimedatectl)(SOON)).toMatchObject({
      source: 'kernel',
    });
  });

  it.each([
    ['is not there', ['no-such-program']],
    ['fails', ['sh', '-c', 'echo yes; exit 1']],
  ] as const)('has no say when it %s', async (_, command) => {
    expect(await program([...command] as [string, ...string[]], said)(SOON)).toBeUndefined();
  });

  it('has no say when it does not answer in time', async () => {
    expect(await program(['sleep', '600'], said)(AbortSignal.timeout(50))).toBeUndefined();
  });
});
