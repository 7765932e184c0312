/** The table of features is true: each test it names is there. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const PAGE = new URL('../../docs/FEATURES.md', import.meta.url);

/** The links of the page's tables: what they call the test, and the file they lead to. */
const LINKS = [...readFileSync(PAGE, 'utf8').matchAll(/\[([^\]]+)\]\(([^)]+\.spec\.ts)\)/g)].map(
  ([, title = '', file = '']) => ({ title, file }),
);

describe('docs/FEATURES.md', () => {
  it('names tests', () => {
    expect(LINKS.length).toBeGreaterThan(50);
  });

  it.each(LINKS)('finds "$title" in $file', ({ title, file }) => {
    const source = readFileSync(new URL(file, PAGE), 'utf8');
    if (file.endsWith(`/${title}`)) return; // the whole file
    expect([`'${title}'`, `"${title}"`].some((quoted) => source.includes(quoted))).toBe(true);
  });
});
