/**
 * The loader of the fuzzer: the line transport's modules are instrumented as they are loaded. Runs in Node's thread for loaders.
 */
import type { LoadHook } from 'node:module';
import { instrument } from './instrument.js';

const TRANSPORT = new URL('../src/line-transport/', import.meta.url).href;

/** Its ways are those of the clock, and the same input would seem to have new ones. */
const TIMED = new Set(['loop-turn.js']);

export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context);
  const name = url.slice(TRANSPORT.length);
  if (!url.startsWith(TRANSPORT) || TIMED.has(name)) return loaded;
  const { source = '' } = loaded;
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  return { ...loaded, source: instrument(name, text) };
};
