/**
 * Every act that a process of clients can perform.
 */
import type { Act } from './act.js';
import { askAll, burst, disperse, gather, lookAround } from './acts/crowd.js';
import { endlessLine } from './acts/endless.js';
import { mingle } from './acts/mingle.js';
import { pipeline } from './acts/pipeline.js';
import { churn, noise, resets, resetsUnderWrite } from './acts/rude.js';
import { drip, dropHalfLines, openHalfLines, type } from './acts/slow.js';
import { askBeforeStop, readUntilEnd } from './acts/stop.js';
import { startWitness, stopWitness } from './acts/witness.js';

export const ACTS: readonly Act<unknown, unknown>[] = [
  startWitness,
  stopWitness,
  pipeline,
  mingle,
  resets,
  resetsUnderWrite,
  churn,
  noise,
  endlessLine,
  openHalfLines,
  dropHalfLines,
  drip,
  type,
  gather,
  askAll,
  lookAround,
  disperse,
  burst,
  askBeforeStop,
  readUntilEnd,
];
