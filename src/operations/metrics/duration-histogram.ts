/**
 * DurationHistogram: what tallies have counted, as a histogram of prom-client, which can otherwise only be told of one duration at a time.
 */
import { Histogram } from 'prom-client';
import { type AnswerTally, DURATION_BOUNDS } from './answer-tally.js';

type Told = Awaited<ReturnType<Histogram<'command' | 'le'>['get']>>;

export class DurationHistogram extends Histogram<'command' | 'le'> {
  /** The same without any duration. */
  readonly #blank: Histogram<'command' | 'le'>;

  constructor(
    private readonly metricName: string,
    help: string,
    private readonly tallies: ReadonlyMap<string, AnswerTally>,
  ) {
    const described = { name: metricName, help, labelNames: ['command'] as const, registers: [] };
    super(described);
    this.#blank = new Histogram(described);
  }

  override async get(): Promise<Told> {
    const values = [...this.tallies].flatMap(([command, tally]) => this.#valuesOf(command, tally));
    return { ...(await this.#blank.get()), values };
  }

  /** What registries make text of; the inherited one knows only what was observed. */
  getForPromString(): Promise<Told> {
    return this.get();
  }

  #valuesOf(command: string, { durations, seconds }: AnswerTally): Told['values'] {
    let count = 0;
    const buckets = [...DURATION_BOUNDS, '+Inf'].map((le, place) => {
      count += durations[place] ?? 0;
      return { metricName: `${this.metricName}_bucket`, labels: { le, command }, value: count };
    });
    if (count === 0) return [];
    return [
      ...buckets,
      { metricName: `${this.metricName}_sum`, labels: { command }, value: seconds },
      { metricName: `${this.metricName}_count`, labels: { command }, value: count },
    ];
  }
}
