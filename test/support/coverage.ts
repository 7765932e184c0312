/**
 * Coverage as Vitest has it, of the code that tests call themselves, together with that of the services they start: V8 counts in each
 * of their processes, and writes down what it counted at the end (NODE_V8_COVERAGE, https://nodejs.org/api/cli.html#node_v8_coveragedir).
 * A process that is killed has nothing to tell.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import type { Profiler } from 'node:inspector';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { mergeScriptCovs } from '@bcoe/v8-coverage';
import v8 from '@vitest/coverage-v8';
import { V8CoverageProvider } from '@vitest/coverage-v8/dist/provider.js';
import astV8ToIstanbul, { type Options } from 'ast-v8-to-istanbul';
import type { AfterSuiteRunMeta } from 'vitest';
import { type ReportContext, type Vitest, parseAstAsync } from 'vitest/node';

const DIST = new URL('../../dist/', import.meta.url).href;

class CoverageOfServices extends V8CoverageProvider {
  /** The folder that services write to; Vitest removes it before each run. */
  #folder = '';
  readonly #scripts = new Map<string, Profiler.ScriptCoverage>();

  override initialize(vitest: Vitest): void {
    super.initialize(vitest);
    this.#folder = join(this.options.reportsDirectory, 'services');
    process.env['SERVICE_COVERAGE'] = this.#folder;
  }

  override onAfterSuiteRun(meta: AfterSuiteRunMeta): void {
    super.onAfterSuiteRun(meta);
    this.#sweep(); // now and then: each process writes some megabytes
  }

  override async generateCoverage(context: ReportContext) {
    const coverage = await super.generateCoverage(context);
    this.#sweep();
    const compiled = join(this.options.reportsDirectory, 'compiled');
    execFileSync('npx', ['tsc', '-p', 'tsconfig.build.json', '--sourceMap', '--outDir', compiled]);
    for (const script of this.#scripts.values()) {
      const counted = await ofSource(script, join(compiled, script.url.slice(DIST.length)));
      for (const [source, counts] of Object.entries(counted))
        add(counts, coverage.fileCoverageFor(source));
    }
    return coverage;
  }

  /** Reads what the services that have ended tell of `dist/`, and removes it. */
  #sweep(): void {
    if (!existsSync(this.#folder)) return;
    for (const name of readdirSync(this.#folder)) {
      const file = join(this.#folder, name);
      const scripts = scriptsOf(readFileSync(file, 'utf8'));
      if (scripts === undefined) continue;
      rmSync(file);
      for (const script of scripts) {
        if (!script.url.startsWith(DIST)) continue;
        const before = this.#scripts.get(script.url);
        this.#scripts.set(script.url, before ? mergeScriptCovs([before, script]) : script);
      }
    }
  }
}

/** What a process has written, or undefined while it still writes. */
function scriptsOf(text: string): Profiler.ScriptCoverage[] | undefined {
  try {
    return (JSON.parse(text) as Profiler.TakePreciseCoverageReturnType).result;
  } catch {
    return undefined;
  }
}

/** The coverage of the source of a file in `dist/`: `compiled` is the same code, with the map to its source beside it. */
async function ofSource(script: Profiler.ScriptCoverage, compiled: string) {
  const code = readFileSync(fileURLToPath(script.url), 'utf8');
  if (!readFileSync(compiled, 'utf8').startsWith(code.trimEnd()))
    throw new Error('dist/ is not what src/ says: npm run build');
  return astV8ToIstanbul({
    code,
    ast: await parseAstAsync(code),
    sourceMap: JSON.parse(readFileSync(`${compiled}.map`, 'utf8')) as NonNullable<
      Options['sourceMap']
    >,
    coverage: { ...script, url: pathToFileURL(compiled).href }, // which the map is relative to
  });
}

type Counts = Awaited<ReturnType<typeof astV8ToIstanbul>>[string];
interface Place {
  start: { line: number };
}

/** Adds the counts of a source to those that Vitest has of it. Of functions, whose places differ too much, none are added. */
function add(counts: Counts, to: Counts): void {
  for (const [id, same] of samePlaces(counts.statementMap, to.statementMap))
    to.s[same]! += counts.s[id]!;
  const known = new Map(samePlaces(branches(to), branches(counts)));
  for (const id of Object.keys(to.branchMap)) {
    const same = known.get(id);
    if (same === undefined) {
      delete to.branchMap[id]; // a branch that one compiler alone has made is none of the source
      delete to.b[id];
    } else for (const way of to.b[id]!.keys()) to.b[id]![way]! += counts.b[same]![way] ?? 0;
  }
}

function branches({ branchMap }: Counts): Record<string, Place> {
  return Object.fromEntries(Object.entries(branchMap).map(([id, { loc }]) => [id, loc]));
}

/** The ids of what is the same place of the source: tsc and Vitest give it other columns, but it is the nth in its line for both. */
function* samePlaces(
  some: Record<string, Place>,
  others: Record<string, Place>,
): Iterable<[string, string]> {
  const ids = idsByPlace(others);
  for (const [place, id] of idsByPlace(some)) {
    const same = ids.get(place);
    if (same !== undefined) yield [id, same];
  }
}

function idsByPlace(places: Record<string, Place>): Map<string, string> {
  const inLine = new Map<number, number>();
  return new Map(
    Object.entries(places).map(([id, { start }]) => {
      const nth = inLine.get(start.line) ?? 0;
      inLine.set(start.line, nth + 1);
      return [`${start.line} ${nth}`, id];
    }),
  );
}

export default { ...v8, getProvider: () => new CoverageOfServices() };
