/**
 * The examples' README is true: each transcript is played, in its order, against the example it starts. Other shell commands than
 * these there must not be: `npm run example -- NAME`, `printf '…' | nc -N localhost 45000`, `curl -s [-d …] localhost:3000/…`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import type { Type } from '@nestjs/common';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { LineServer } from '../src/line-transport/index.js';
import { compileExample } from '../test/support/example.js';
import { TestClient } from '../test/support/line-client.js';
import { CalculatorModule } from './calculator/calculator.module.js';
import { ChatModule } from './chat/chat.module.js';
import { DateModule } from './date/date.module.js';
import { EchoModule } from './echo/echo.module.js';
import { connectLines } from './hybrid/connect-lines.js';
import { HybridModule } from './hybrid/hybrid.module.js';
import { KeyValueModule } from './key-value/key-value.module.js';
import { LoginModule } from './login/login.module.js';

const PAGE = readFileSync(new URL('README.md', import.meta.url), 'utf8');
const MAX_LINES = 120;
const SERVERS = new Map<string, Type>([
  ['calculator', CalculatorModule],
  ['chat', ChatModule],
  ['date', DateModule],
  ['echo', EchoModule],
  ['hybrid', HybridModule],
  ['key-value', KeyValueModule],
  ['login', LoginModule],
]);

interface Running {
  readonly port: number;
  readonly url: string;
}

interface Command {
  readonly command: string;
  readonly output: string;
}

const EXAMPLES = readdirSync(import.meta.dirname, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'dist')
  .map(({ name }) => name);

const TRANSCRIPTS = [...PAGE.matchAll(/^```\n([^]*?)^```$/gm)].map(([, block = '']) => {
  const commands = [...block.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)].map(
    ([, command = '', output = '']): Command => ({ command, output }),
  );
  return { title: commands[0]?.command ?? block, commands };
});

/** Starts an example with HTTP beside it, on free ports; only `hybrid` has something to say there. */
async function start(name: string): Promise<Running> {
  const root = SERVERS.get(name);
  if (root === undefined) throw new Error(`no such example: ${name}`);
  const app = (await compileExample(root)).createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await connectLines(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.get(LineServer).unwrap().address() as AddressInfo;
  return { port, url: await app.getUrl() };
}

/** What a shell command prints. */
async function run(command: string, { port, url }: Running): Promise<string> {
  const [, lines] = /^printf '([^'%]*)' \| nc -N localhost 45000$/.exec(command) ?? [];
  if (lines !== undefined) {
    const client = await TestClient.connect(port);
    client.end(lines.replaceAll(String.raw`\r\n`, '\r\n'));
    return (await client.transcript()).replaceAll('\r\n', '\n');
  }
  const [, body, path] = /^curl -s (?:-d (\S+) )?localhost:3000(\/\S+)$/.exec(command) ?? [];
  if (path === undefined) throw new Error(`no such command: ${command}`);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const request = body === undefined ? {} : { method: 'POST', body, headers };
  return `${await (await fetch(url + path, request)).text()}\n`;
}

/** What the client example prints, when it asks at this port. */
async function runClient(port: number): Promise<string> {
  let printed = '';
  const print = (line: string): void => void (printed += `${line}\n`);
  vi.spyOn(console, 'log').mockImplementation(print);
  vi.spyOn(console, 'error').mockImplementation(print);
  vi.stubEnv('PORT', String(port));
  vi.resetModules();
  onTestFinished(() => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    process.exitCode = undefined;
  });
  await import('./client/main.js');
  return printed;
}

describe("The examples' README", () => {
  it('has a section with a transcript for each example', () => {
    const sections = [...PAGE.matchAll(/^## (.*)$/gm)].map(([, name]) => name);
    expect(new Set(sections)).toEqual(new Set(EXAMPLES));
    const started = TRANSCRIPTS.map(({ title }) => /example -- (\S+)$/.exec(title)?.[1]);
    expect(new Set(started)).toEqual(new Set(EXAMPLES));
  });

  const served = TRANSCRIPTS.filter(({ title }) => !title.endsWith(' client'));
  it.for(served)('is true: $title', async ({ commands: [first, ...commands] }) => {
    vi.useFakeTimers({ now: new Date(2026, 10, 22, 12), toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const [, name = ''] = /^npm run example -- (\S+)$/.exec(first?.command ?? '') ?? [];
    const running = await start(name);
    for (const { command, output } of commands) expect(await run(command, running)).toBe(output);
  });

  const [together, alone] = TRANSCRIPTS.filter(({ title }) => title.endsWith(' client'));

  it('is true of the client example beside the key-value example', async () => {
    const { port } = await start('key-value');
    expect(await runClient(port)).toBe(together?.commands[0]?.output);
  });

  it('is true of the client example where nothing listens', async () => {
    expect(await runClient(1)).toBe(alone?.commands[0]?.output);
    expect(process.exitCode).toBe(1);
  });
});

describe('The examples', () => {
  it.each(EXAMPLES)(`are short: %s has at most ${MAX_LINES} lines`, (name) => {
    const folder = new URL(`${name}/`, import.meta.url);
    const lines = readdirSync(folder)
      .filter((file) => !file.endsWith('.spec.ts'))
      .flatMap((file) => readFileSync(new URL(file, folder), 'utf8').trimEnd().split('\n'));
    expect(lines.length).toBeLessThanOrEqual(MAX_LINES);
  });
});
