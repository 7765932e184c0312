/**
 * `npm run fuzz`: plays inputs to the decoder and to a server, and keeps those that take new ways through the transport. Options:
 * fuzz/README.md.
 */
import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { Coverage } from './coverage.js';
import { fuzzOptions } from './options.js';

const options = fuzzOptions(process.argv.slice(2));
const coverage = new Coverage();
register('./instrumenting-loader.js', import.meta.url);
const { Fuzzer } = await import('./fuzzer.js'); // now, with everything that is to be instrumented
const fuzzer = new Fuzzer(options, coverage);
const { files, merge } = options;
const replay = (): Promise<boolean> => fuzzer.replay(files.map((file) => readFileSync(file)));
const isWell = files.length > 0 ? replay() : merge ? fuzzer.merge() : fuzzer.fuzz();
process.exit((await isWell) ? 0 : 1);
