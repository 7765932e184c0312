/**
 * The page of results, results.md: the attacks, and the soak. Knows nothing of how the figures came about.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { inRepository } from '../bench/programs.js';
import { table } from '../bench/table.js';
import { ownVersions } from '../bench/versions.js';
import type { Outcome } from './attacks.js';
import type { SoakOptions } from './options.js';
import type { Sample, Soaked } from './soak.js';
import type { Verdict } from './verdict.js';

const PAGE = inRepository('soak/results.md');
const HEAD = [
  '# What the service withstands',
  'Made by `npm run soak`; [README.md](README.md) tells how it is measured. Each part says by which command and with which versions.',
].join('\n\n');

/** Parts of the page, each with its heading. */
const HEADINGS = ['## Attacks', '## Soak'] as const;

export function attacksSection(
  outcomes: readonly Outcome[],
  { command, scale }: SoakOptions,
): string {
  const rows = outcomes.flatMap(({ attack, verdicts }) =>
    verdicts.map((verdict, index) => [index === 0 ? attack.title : '', ...cells(verdict)]),
  );
  const size = scale === 1 ? '' : ` Each at ${scale} of its full size.`;
  return [
    `## Attacks`,
    `Made by \`${command}\`.${size}`,
    versionList(),
    table(['attack', 'promise', 'measured', 'met'], rows),
  ].join('\n\n');
}

export function soakSection(
  { minutes, samples, verdicts }: Soaked,
  { command }: SoakOptions,
): string {
  const head = ['s', 'RSS MiB', 'heap MiB', 'descriptors', 'connections', 'busy'];
  return [
    '## Soak',
    `Made by \`${command}\`: ${minutes} minutes.`,
    versionList(),
    table(['promise', 'measured', 'met'], verdicts.map(cells)),
    table(head, samples.map(figures)),
  ].join('\n\n');
}

/** A sample as it is told while the soak goes on. */
export function sampleLine(sample: Sample): string {
  const [seconds, rss, heap, descriptors, connections, busy] = figures(sample);
  return `${seconds} s: RSS ${rss} MiB, heap ${heap} MiB, ${descriptors} descriptors, ${connections} connections, busy ${busy}`;
}

/** Puts a part in its place; the other one stays. */
export async function writeSection(section: string): Promise<void> {
  const old = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const parts = HEADINGS.flatMap((heading) =>
    section.startsWith(`${heading}\n`) ? [section] : partOf(old, heading),
  );
  writeFileSync(PAGE, await format([HEAD, ...parts].join('\n\n'), { parser: 'markdown' }));
}

function figures({ seconds, rssMib, heapMib, descriptors, connections, busy }: Sample): string[] {
  const memory = [rssMib, heapMib].map((mib) => mib.toFixed(1));
  return [seconds.toFixed(0), ...memory, String(descriptors), String(connections), busy.toFixed(2)];
}

function versionList(): string {
  return ownVersions()
    .map((line) => `- ${line}`)
    .join('\n');
}

function cells({ promise, measured, isMet }: Verdict): string[] {
  const oneLine = measured.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ');
  return [promise, oneLine, isMet ? 'yes' : '**no**'];
}

function partOf(page: string, heading: string): string[] {
  const part = page.split(/\n(?=## )/).find((each) => each.startsWith(`${heading}\n`));
  return part === undefined ? [] : [part.trimEnd()];
}
