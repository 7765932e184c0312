/**
 * The files of the repository that the bench writes: the page of results and the chart. What people wrote under Profiles stays.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { format } from 'prettier';
import { chart } from './chart.js';
import { inRepository } from './programs.js';
import { LEGEND, report } from './report.js';
import type { Saved } from './saved.js';
import type { Scenario } from './scenarios.js';

const PAGE = inRepository('bench/results/speed.md');
const CHART = inRepository('bench/results/speed.svg');
const PROFILES = '\n## Profiles\n';

/** The whole page, as Markdown. */
export function page(scenarios: readonly Scenario[], saved: Saved): string {
  const { command, size, versions, results } = saved;
  return [
    '# Speed',
    `Made by \`${command}\`: ${size}.`,
    versions.map((line) => `- ${line}`).join('\n'),
    '## Method',
    'Each server is a process of its own, started anew for every measurement, and has a core to itself; so has the generator. The rounds are interleaved: within a round every scenario is measured with every server, in another order each round. [../README.md](../README.md) describes servers and scenarios.',
    LEGEND,
    '## Results',
    report(scenarios, results),
  ].join('\n\n');
}

export async function writePage(text: string, { results, size }: Saved): Promise<void> {
  mkdirSync(inRepository('bench/results'), { recursive: true });
  const old = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  const [, profiles = '\nNone yet.\n'] = old.split(PROFILES);
  writeFileSync(PAGE, await format(`${text}\n${PROFILES}${profiles}`, { parser: 'markdown' }));
  const drawn = chart(results, size);
  if (drawn !== undefined) writeFileSync(CHART, drawn);
}
