/**
 * Starts the example that is named: `npm run example -- echo`. Knows none of them: each is a folder with a main.
 */
import { readdirSync } from 'node:fs';

const names = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);
const [name = ''] = process.argv.slice(2);

if (names.includes(name)) {
  await import(`./${name}/main.js`);
} else {
  console.error(`Which example? npm run example -- ${names.join(' | ')}`);
  process.exitCode = 1;
}
