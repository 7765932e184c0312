/**
 * Whether it was the generator that limited a server: then the server's processor time is the figure, and not the requests/s.
 */
import { figure, type Results } from './samples.js';

/** Above this share of its core a generator may not have asked as fast as the server could answer. */
export const BUSY = 0.9;

export function isLimited(results: Results, scenario: string, server: string): boolean {
  return (figure(results, scenario, server, 'busy')?.median ?? 0) > BUSY;
}
