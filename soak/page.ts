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
import type { Verdict } from './verdict.js';

const PAGE = inRepository('soak/results.md');
const HEAD = [
  '# What the service withstands',
  'Made by `npm run soak`; [README.md](README.md) tells how it is measured. Each part says by which command and with which versions.',
].join('\n\n');

const SECTIONS = ['Attacks', 'Soak'] as const;
type SectionName = (typeof SECTIONS)[number];

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

/** Puts a part in its place; the other one stays. */
export async function writeSection(name: SectionName, section: string): Promise<void> {
  const old = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const parts = SECTIONS.flatMap((each) => (each === name ? [section] : partOf(old, each)));
  writeFileSync(PAGE, await format([HEAD, ...parts].join('\n\n'), { parser: 'markdown' }));
}

export function versionList(): string {
  return ownVersions()
    .map((line) => `- ${line}`)
    .join('\n');
}

export function cells({ promise, measured, isMet }: Verdict): string[] {
  return [promise, measured.replaceAll('|', String.raw`\|`), isMet ? 'yes' : '**no**'];
}

function partOf(page: string, name: SectionName): string[] {
  const part = page.split(/\n(?=## )/).find((each) => each.startsWith(`## ${name}\n`));
  return part === undefined ? [] : [part.trimEnd()];
}
