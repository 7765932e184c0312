#!/usr/bin/env node
/**
 * The service as a program. Its modules are loaded one after the other: `import` opens hundreds of files at the same time, and a
 * process that may open only 128 would end before it listens.
 */
import { createRequire } from 'node:module';

createRequire(import.meta.url)('./bootstrap.js');
