/**
 * What SIGINT and SIGTERM do: the first closes the application in order, a second one ends the process at once.
 */
import { constants } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';

/**
 * Nest's own shutdown hooks destroy modules before they close the transport, and kill the process by the signal;
 * `app.close()` finishes the conversations first, and the process exits with 0.
 * @param delayMs milliseconds for which it serves on, so that whoever sends clients here has time to send them elsewhere
 * @param onLeaving called at the first signal
 */
export function closeOnSignals(
  app: INestApplicationContext,
  delayMs: number,
  onLeaving?: () => void,
): void {
  let closing: Promise<never> | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (closing !== undefined) process.exit(128 + constants.signals[signal]);
      onLeaving?.();
      closing = setTimeout(delayMs)
        .then(() => app.close())
        .then(() => process.exit(0));
    });
  }
}
