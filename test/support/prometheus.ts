/**
 * A real Prometheus with the configuration that is shipped: its rules, and targets of the test instead of its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { said } from './cable.js';
import { temporaryFolder } from './temporary-folder.js';

const FOLDER = new URL('../../deploy/prometheus/', import.meta.url);

/** One series of an answer: its labels, and its value now. */
export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

interface Configuration {
  global: object;
  scrape_configs: { job_name: string; static_configs: object[] }[];
}

/** The one that is shipped, but for where and how often it looks. */
function configuration(targets: Record<string, string[]>): Configuration {
  const shipped = parse(readFileSync(new URL('prometheus.yaml', FOLDER), 'utf8')) as Configuration;
  for (const job of shipped.scrape_configs) {
    job.static_configs = [{ targets: targets[job.job_name] ?? [] }];
  }
  return { ...shipped, global: { scrape_interval: '1s', evaluation_interval: '1s' } };
}

export class Prometheus {
  private constructor(
    readonly process: ChildProcess,
    private readonly port: number,
  ) {}

  /**
   * Waits until it is ready. It looks every second, so that a test need not wait long for two samples.
   * @param targets of each job, as address:port
   */
  static async start(port: number, targets: Record<string, string[]>): Promise<Prometheus> {
    const folder = temporaryFolder();
    copyFileSync(new URL('alerts.yaml', FOLDER), join(folder, 'alerts.yaml'));
    writeFileSync(join(folder, 'prometheus.yaml'), stringify(configuration(targets)));
    const child = spawn(
      'prometheus',
      [
        '--config.file=prometheus.yaml',
        '--storage.tsdb.path=data',
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { cwd: folder },
    );
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    await said(child, /Server is ready to receive web requests/);
    return new Prometheus(child, port);
  }

  /** The answer to a query, as of now. @throws what Prometheus says against it */
  async query(query: string): Promise<Sample[]> {
    const { result } = (await this.#ask('query', { query })) as { result: Sample[] };
    return result;
  }

  async #ask(what: string, parameters: Record<string, string>): Promise<unknown> {
    const asked = new URLSearchParams(parameters);
    const response = await fetch(`http://127.0.0.1:${this.port}/api/v1/${what}?${String(asked)}`);
    const answer = (await response.json()) as { data: unknown; error?: string };
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.data;
  }
}
