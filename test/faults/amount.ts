/**
 * How much is tried. The suite tries a little on every run; more is asked for by hand: FAULT_STEPS=1000000.
 */

/** The model's steps that are at least taken in all. */
export const STEPS = Number(process.env['FAULT_STEPS'] ?? 20_000);

/** More than the suite allows any of its tests. */
export const TIME_MS = Math.max(60_000, STEPS * 3);
