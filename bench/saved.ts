/**
 * Saved: measurements in a file, with what has to be said of them, so that they can be told again without being made again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import * as v from 'valibot';
import { FIGURES } from './samples.js';

const Sample = v.record(v.picklist(FIGURES), v.number());

const Saved = v.object({
  command: v.string(),
  /** Rounds and their length. */
  size: v.string(),
  versions: v.array(v.string()),
  /** By scenario, server and round. */
  results: v.record(v.string(), v.record(v.string(), v.record(v.string(), Sample))),
});

export type Saved = v.InferOutput<typeof Saved>;

export function readSaved(file: string): Saved {
  return v.parse(Saved, JSON.parse(readFileSync(file, 'utf8')));
}

export function writeSaved(file: string, saved: Saved): void {
  writeFileSync(file, JSON.stringify(saved, known));
}

/** A figure that could not be measured is left out: JSON has no NaN. */
function known(_name: string, value: unknown): unknown {
  return Number.isNaN(value) ? undefined : value;
}
