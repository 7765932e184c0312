import { describe, expect, it } from 'vitest';
import { inheritedSocket } from './inherited-socket.js';

const LISTEN_PID = String(process.pid);

describe('The socket of systemd', () => {
  it('is descriptor 3 of the process that it is for', () => {
    expect(inheritedSocket({ LISTEN_FDS: '1', LISTEN_PID })).toBe(3);
  });

  it('is none where there is none, or where it is for another process', () => {
    expect(inheritedSocket({})).toBeUndefined();
    expect(inheritedSocket({ LISTEN_FDS: '1' })).toBeUndefined();
    expect(inheritedSocket({ LISTEN_FDS: '1', LISTEN_PID: '1' })).toBeUndefined();
  });

  it('is one: several are refused', () => {
    expect(() => inheritedSocket({ LISTEN_FDS: '2', LISTEN_PID })).toThrow(
      /LISTEN_FDS must be 1, not "2"/,
    );
  });
});
