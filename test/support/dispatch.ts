/**
 * Which way lines go in tests that do not say it: as the options' default does, or all through Nest's pipeline. The project
 * `pipeline` in vitest.config.ts runs the transport's tests the second way.
 */
import type { LineServerOptions } from '../../src/line-transport/index.js';

/** To be spread before a test's own options. */
export const AS_ASKED: LineServerOptions =
  process.env['LINE_DISPATCH'] === 'pipeline' ? { dispatch: 'pipeline' } : {};
