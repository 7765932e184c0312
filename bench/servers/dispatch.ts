/**
 * The option that has LineServer go through Nest's pipeline where it could call a handler directly.
 */
import { LineServer, type LineServerOptions } from '../../src/line-transport/index.js';

const OPTION: LineServerOptions = Object.fromEntries([['dispatch', 'pipeline']]);

export const PIPELINE: LineServerOptions = isKnown() ? OPTION : {};

function isKnown(): boolean {
  try {
    return new LineServer(OPTION).options !== undefined;
  } catch {
    return false;
  }
}
