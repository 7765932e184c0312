/**
 * AnswerMetrics: how lines were answered, by command and outcome, and how long it took. A line that is no command has none in its label,
 * so no client can add a series.
 */
import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';
import { LineServer } from '../../line-transport/index.js';
import { AnswerTally } from './answer-tally.js';
import { DurationHistogram } from './duration-histogram.js';

@Injectable()
export class AnswerMetrics {
  readonly #tallies = new Map<string, AnswerTally>();

  constructor(
    private readonly server: LineServer,
    registry: Registry,
  ) {
    server.on('answered', (_, answered) => this.#tallyOf(answered.command).add(answered));
    registry.registerMetric(this.#replies());
    registry.registerMetric(
      new DurationHistogram(
        'line_handler_duration_seconds',
        'From when a line is served until its answer is complete, by command.',
        this.#tallies,
      ),
    );
  }

  #replies(): Counter<'command' | 'outcome'> {
    const counted = (): Iterable<[string, AnswerTally]> => this.#all();
    return new Counter({
      name: 'line_replies_total',
      help: 'Lines that were answered, by command (none for a line that is no command) and outcome.',
      labelNames: ['command', 'outcome'],
      registers: [],
      collect() {
        this.reset();
        for (const [command, { outcomes }] of counted()) {
          for (const [outcome, count] of Object.entries(outcomes)) {
            this.inc({ command, outcome }, count);
          }
        }
      },
    });
  }

  /** Every command from the start: a series that begins with its first event hides that event from `rate()`. */
  #all(): ReadonlyMap<string, AnswerTally> {
    for (const { name } of [{ name: '' }, ...this.server.commands]) this.#tallyOf(name);
    return this.#tallies;
  }

  #tallyOf(command: string): AnswerTally {
    let tally = this.#tallies.get(command);
    if (tally === undefined) this.#tallies.set(command, (tally = new AnswerTally()));
    return tally;
  }
}
