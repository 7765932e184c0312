#!/usr/bin/env node
/**
 * The service as a program: its command line, and what that asks for. Its modules are loaded one after the other: `import` opens
 * hundreds of files at the same time, and a process that may open only 128 would end before it listens.
 */
import { createRequire } from 'node:module';
import { readCommandLine } from './operations/command-line/command-line.js';

/** The exit code of a command line that is not understood, as with most programs. */
const USAGE_ERROR = 2;

const require = createRequire(import.meta.url);
const order = readCommandLine(process.argv.slice(2));

if (order.action === 'tell') {
  console.log(order.text);
} else if (order.action === 'refuse') {
  console.error(order.text);
  process.exitCode = USAGE_ERROR;
} else {
  if (order.action === 'serve') endOnSignals();
  Object.assign(process.env, order.settings); // a flag wins over the environment, which wins over the .env file
  require(
    order.action === 'serve' ? './bootstrap.js' : './operations/command-line/check-config.js',
  );
}

/** Until it is known what is to be closed: the kernel ends no process by its default that is pid 1, as one in a container is. */
function endOnSignals(): void {
  process.on('SIGHUP', () => undefined); // a reload of what has not begun is nothing to die of
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(0);
    });
  }
}
