/**
 * The results as a page of Markdown: a table for each scenario, and the targets. Knows nothing of how the numbers came about.
 */
import { BUSY, isLimited } from './limited.js';
import { figure, type Figure, ratio, type Results, type Spread } from './samples.js';
import type { Scenario } from './scenarios.js';
import { table } from './table.js';
import { type Verdict, verdicts } from './targets.js';

interface Column {
  readonly figure: Figure;
  readonly title: string;
  /** Whether a column beside it tells the ratio to the scenario's first server. */
  readonly isCompared?: boolean;
  /** Whether the lowest and the highest round are told, too. */
  readonly isSpread?: boolean;
}

const LATENCIES: readonly Column[] = [
  { figure: 'p50', title: 'p50 µs' },
  { figure: 'p99', title: 'p99 µs' },
  { figure: 'p999', title: 'p99.9 µs' },
];

const LOADED: readonly Column[] = [
  { figure: 'rate', title: 'requests/s', isCompared: true, isSpread: true },
  { figure: 'cpu', title: 'CPU µs/request', isCompared: true, isSpread: true },
  ...LATENCIES,
  { figure: 'serverBusy', title: 'server busy' },
  { figure: 'busy', title: 'generator busy' },
];

const COLUMNS: Readonly<Record<Scenario['kind'], readonly Column[]>> = {
  pipeline: LOADED,
  sessions: LOADED,
  workers: LOADED,
  flood: LOADED,
  start: [
    { figure: 'start', title: 'ms', isCompared: true, isSpread: true },
    { figure: 'startRss', title: 'MiB RSS', isCompared: true, isSpread: true },
  ],
  idle: [
    { figure: 'idleRss', title: 'idle: KiB RSS', isCompared: true, isSpread: true },
    { figure: 'idleHeap', title: 'of it heap', isCompared: true },
    { figure: 'spokenRss', title: 'after one TIME: KiB RSS', isCompared: true, isSpread: true },
    { figure: 'spokenHeap', title: 'of it heap', isCompared: true },
  ],
};

const LIMITED = '†';

export function report(scenarios: readonly Scenario[], results: Results): string {
  return [...scenarios.map((scenario) => section(scenario, results)), targets(results)].join(
    '\n\n',
  );
}

function section(scenario: Scenario, results: Results): string {
  const { title, note, servers, kind } = scenario;
  const [base = ''] = servers;
  const columns = COLUMNS[kind];
  const head = [
    'server',
    ...columns.flatMap((column) => [column.title, ...(column.isCompared ? [`÷ ${base}`] : [])]),
  ];
  const rows = servers.map((server) => {
    if (results[title]?.[server] === undefined) return [server, 'not measured'];
    const mark = isLimited(results, title, server) ? ` ${LIMITED}` : '';
    const pair = [server, base] as const;
    const figures = columns.flatMap((column) => cells(column, results, title, pair));
    return [server + mark].concat(figures);
  });
  return [`### ${title}`, ...(note === undefined ? [] : [note]), table(head, rows)].join('\n\n');
}

function cells(
  column: Column,
  results: Results,
  scenario: string,
  servers: readonly [string, string],
): string[] {
  const own = figure(results, scenario, servers[0], column.figure);
  const absolute = column.isSpread ? withSpread(own) : shown(own?.median);
  if (!column.isCompared) return [absolute];
  return [absolute, withSpread(ratio(results, scenario, servers, column.figure))];
}

function targets(results: Results): string {
  const rows = verdicts(results).map((verdict) => [verdict.wish, told(verdict), isMet(verdict)]);
  return [
    '## Targets',
    'Medians of the rounds (lowest–highest), computed from the tables above. A ratio is taken round by round.',
    table(['target', 'measured', 'met'], rows),
  ].join('\n\n');
}

function told({ measured, unit }: Verdict): string {
  if (measured === undefined) return 'not measured';
  const byCpu = measured.isByCpu === true ? ` by CPU time per request ${LIMITED}` : '';
  const cpu = measured.cpu && `; by CPU time per request ${withSpread(measured.cpu)}`;
  return `${withSpread(measured.value)}${unit}${byCpu}${cpu ?? ''}`;
}

function isMet(verdict: Verdict): string {
  if (verdict.measured === undefined) return '–';
  if (verdict.isMet) return 'yes';
  const { limit } = verdict;
  return limit === undefined
    ? '**no**'
    : `**no**; \`bare\` itself, which logs nothing: ${withSpread(limit.value)}`;
}

/** What the marks of the tables mean. */
export const LEGEND = [
  `Each cell is the median of the rounds; in parentheses the lowest and the highest of them. Ratios are taken round by round, against the first server in the same round of the same scenario. \`CPU µs/request\` is the processor time, user and system, that the server's processes had while the generator counted, divided by the requests. Latencies are of a whole batch: at depth 16 from the first request sent to the 16th reply read.`,
  `\`server busy\` and \`generator busy\` are the shares of a core that each of the two used. That is how it is known that the generator was not the bottleneck: it had time left, and the server had none. Rows in which the generator was busy for more than ${BUSY} are marked ${LIMITED}: their requests/s say less about the server than about the generator, and they are judged by the server's CPU time per request. A row in which neither was busy waited for something else: for other work on the machine, or, as Nest's TCP transport at depth 16, for acknowledgements.`,
].join('\n\n');

function withSpread(given: Spread | undefined): string {
  if (given === undefined) return '–';
  const { median, lowest, highest } = given;
  return lowest === highest
    ? shown(median)
    : `${shown(median)} (${shown(lowest)}–${shown(highest)})`;
}

/** Three figures are more than the spread deserves. */
function shown(number: number | undefined): string {
  if (number === undefined) return '–';
  if (number >= 100) return Number(number.toPrecision(3)).toLocaleString('en');
  return number.toFixed(number >= 10 ? 1 : 2);
}
