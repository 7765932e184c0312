/**
 * The chart of the README: requests per second as bars, one panel for each depth, as an SVG that reads on light and dark ground.
 */
import { figure, type Results } from './samples.js';

const PANELS = [1, 16, 256].map((depth) => ({
  title: depth === 1 ? 'one request at a time' : `${depth} requests at a time`,
  scenario: `50 connections, depth ${depth}`,
}));

interface Bar {
  readonly server: string;
  readonly label: string;
  readonly color: 'own' | 'runtime' | 'other';
}

const BARS: readonly Bar[] = [
  { server: 'bare', label: 'bare node:net', color: 'runtime' },
  { server: 'service', label: 'this service', color: 'own' },
  { server: 'service, logging', label: 'this service, logging', color: 'own' },
  { server: 'LineServer, pipeline', label: "LineServer, Nest's pipeline", color: 'own' },
  { server: 'LineServer, 3 enhancers', label: 'LineServer, 3 enhancers', color: 'own' },
  { server: 'Nest TCP', label: 'Nest TCP transport', color: 'other' },
  { server: 'Python, logging', label: 'Python threads, logging', color: 'other' },
  { server: 'Redis', label: 'Redis PING', color: 'other' },
  { server: 'memcached', label: 'memcached version', color: 'other' },
];

const LABELS = 190;
const PANEL = 210;
const LONGEST = 140;
const ROW = 26;
const TOP = 80;
const WIDTH = LABELS + PANELS.length * PANEL + 6;

const STYLE = `
    text { font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; fill: #1f2328; }
    .ground { fill: #ffffff; stroke: #d1d9e0; }
    .title { font-size: 15px; font-weight: 600; }
    .quiet { font-size: 12px; fill: #59636e; }
    .own { fill: #2f6feb; }
    .runtime { fill: #59636e; }
    .other { fill: #a3adb8; }
    @media (prefers-color-scheme: dark) {
      .ground { fill: #0d1117; stroke: #3d444d; }
      text { fill: #e6edf3; }
      .quiet { fill: #9198a1; }
      .own { fill: #4c8dff; }
      .runtime { fill: #b1bac4; }
      .other { fill: #656d76; }
    }`;

/** @returns the SVG, or `undefined` if a panel would be empty */
export function chart(results: Results, size: string): string | undefined {
  const rate = (scenario: string, server: string): number =>
    figure(results, scenario, server, 'rate')?.median ?? 0;
  const bars = BARS.filter(({ server }) => rate(PANELS[0]?.scenario ?? '', server) > 0);
  const panels = PANELS.map(({ title, scenario }, index) => {
    const rates = bars.map(({ server }) => rate(scenario, server));
    const most = Math.max(...rates);
    const x = LABELS + index * PANEL;
    const drawn = bars.map(({ color }, row) => bar(x, row, rates[row] ?? 0, most, color));
    return most > 0 ? [text(x, TOP - 12, title, 'quiet'), ...drawn] : undefined;
  });
  if (panels.includes(undefined) || bars.length === 0) return undefined;
  const height = TOP + bars.length * ROW + 12;
  const labels = bars.map(({ label }, row) =>
    text(LABELS - 10, middle(row), label, undefined, 'end'),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title description">`,
    `  <title id="title">Requests per second, ${size}</title>`,
    `  <desc id="description">${described(bars, rate)}</desc>`,
    `  <style>${STYLE}\n  </style>`,
    // Whoever shows it may have a dark page and ask for a light picture.
    `  <rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>`,
    text(14, 26, 'Requests per second', 'title'),
    text(
      14,
      45,
      `50 connections, one core for the server; each panel has its own scale; ${size}`,
      'quiet',
    ),
    ...labels,
    ...panels.flatMap((panel) => panel ?? []),
    '</svg>\n',
  ].join('\n');
}

function bar(x: number, row: number, rate: number, most: number, color: string): string {
  const width = Math.max((rate / most) * LONGEST, 1).toFixed(1);
  const rect = `  <rect class="${color}" x="${x}" y="${TOP + row * ROW + 4}" width="${width}" height="${ROW - 8}" rx="2"/>`;
  return `${rect}\n${text(x + Number(width) + 6, middle(row), inShort(rate))}`;
}

function middle(row: number): number {
  return TOP + row * ROW + ROW / 2 + 4;
}

function text(x: number, y: number, words: string, style?: string, anchor?: string): string {
  const attributes = [
    ...(style === undefined ? [] : [` class="${style}"`]),
    ...(anchor === undefined ? [] : [` text-anchor="${anchor}"`]),
  ].join('');
  return `  <text x="${x}" y="${y}"${attributes}>${escaped(words)}</text>`;
}

/** For whoever cannot see it. */
function described(
  bars: readonly Bar[],
  rate: (scenario: string, server: string) => number,
): string {
  const panels = PANELS.map(({ title, scenario }) => {
    const values = bars.map(({ server, label }) => `${label} ${inShort(rate(scenario, server))}`);
    return `${title}: ${values.join(', ')}.`;
  });
  return escaped(panels.join(' '));
}

function inShort(rate: number): string {
  if (rate === 0) return '–';
  if (rate >= 999_500) return `${(rate / 1e6).toFixed(2)} M`;
  return rate >= 9_950 ? `${(rate / 1e3).toFixed(0)} k` : `${(rate / 1e3).toFixed(1)} k`;
}

function escaped(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
