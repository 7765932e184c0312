/** The tables of features and promises are true: each test they name is there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe.each([
  ['docs/FEATURES.md', 50],
  ['docs/RELIABILITY.md', 20],
  ['SECURITY.md', 10],
])('%s', (name, least) => {
  const page = new URL(`../../${name}`, import.meta.url);
  /** The links of the page's tables: what they call the test, and the file they lead to. */
  const links = [...readFileSync(page, 'utf8').matchAll(/\[([^\]]+)\]\(([^)]+\.spec\.ts)\)/g)].map(
    ([, title = '', file = '']) => ({ title, file }),
  );

  it('names tests', () => {
    expect(links.length).toBeGreaterThan(least);
  });

  it.each(links)('finds "$title" in $file', ({ title, file }) => {
    const source = readFileSync(new URL(file, page), 'utf8');
    if (file.endsWith(`/${title}`)) return; // the whole file
    expect([`'${title}'`, `"${title}"`].some((quoted) => source.includes(quoted))).toBe(true);
  });
});
