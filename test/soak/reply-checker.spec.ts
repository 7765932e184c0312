/** What the soak says of replies is only as good as what it notices. */
import { describe, expect, it } from 'vitest';
import { ReplyChecker } from '../../soak/reply-checker.js';
import { slopeOf } from '../../soak/slope.js';
import { UNKNOWN_REPLY } from '../../soak/words.js';

function checked(replies: string, pieceBytes = replies.length): ReplyChecker {
  const checker = new ReplyChecker(['time', 'time', 'unknown']);
  const bytes = Buffer.from(replies);
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    checker.push(bytes.subarray(at, at + pieceBytes));
  }
  return checker;
}

const EARLY = 'JAM 09:59:59\r\n';
const LATER = 'JAM 10:00:00\r\n';

describe('The checker of replies', () => {
  it.each([1, 2, 3, 7, 14, 1_000])('counts replies that come in pieces of %i bytes', (bytes) => {
    const { replies, fault } = checked(EARLY + LATER + UNKNOWN_REPLY + LATER, bytes);
    expect({ replies, fault }).toEqual({ replies: 4, fault: undefined });
  });

  it('lets a day begin again at midnight', () => {
    expect(checked('JAM 23:59:59\r\nJAM 00:00:00\r\n').fault).toBe(undefined);
  });

  it.each([
    ['another reply than the one in its place', EARLY + UNKNOWN_REPLY + LATER],
    ['a time that goes back', LATER + EARLY],
    ['a time that there is not', 'JAM 24:00:00\r\n'],
    ['a minute that there is not', 'JAM 23:60:00\r\n'],
    ['something else than a digit', 'JAM 2x:00:00\r\n'],
    ['a line end that is another', 'JAM 23:00:00\n'],
    ['a byte too many', `${EARLY}\n${LATER}`],
  ])('notices %s', (_what, replies) => {
    expect(checked(replies, 3).fault).toMatch(/^reply \d is "/);
  });

  it('does not count a reply that is not complete', () => {
    expect(checked(EARLY + LATER.slice(0, -1)).replies).toBe(1);
  });
});

describe('The slope of a series', () => {
  it('is that of the line that its points are on', () => {
    const { slope, error } = slopeOf([
      [0, 3],
      [1, 5],
      [3, 9],
    ]);
    expect(slope).toBeCloseTo(2);
    expect(error).toBeCloseTo(0);
  });

  it('is less sure the farther they are from it', () => {
    const { slope, error } = slopeOf([
      [0, 0],
      [1, 3],
      [2, 0],
      [3, 3],
    ]);
    expect(slope).toBeCloseTo(0.6);
    expect(error).toBeGreaterThan(0.5);
  });
});
