/**
 * LineMetrics: what the line server counts itself, as metrics. Knows nothing of who reads them.
 */
import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Registry } from 'prom-client';
import { LineServer, type LineServerStats } from '../../line-transport/index.js';

/** Takes a number from what the server has counted. */
type Read = (stats: LineServerStats) => number;
type ReadByReason = (stats: LineServerStats) => Readonly<Record<string, number>>;

@Injectable()
export class LineMetrics {
  constructor(
    private readonly server: LineServer,
    private readonly registry: Registry,
  ) {
    this.#addConnections();
    this.#addTraffic();
  }

  #addConnections(): void {
    this.#gauge(
      'line_connections_open',
      'Conversations that are not over.',
      ({ connections }) => connections.open,
    );
    this.#gauge(
      'line_connections_max',
      'The most conversations at once; one more is refused.',
      ({ connections }) => connections.max,
    );
    this.#counter(
      'line_connections_accepted_total',
      'Connections that were served.',
      ({ connections }) => connections.accepted,
    );
    this.#counterByReason(
      'line_connections_refused_total',
      'Connections that were closed instead of served, by reason.',
      ({ connections }) => connections.refused,
    );
    this.#counterByReason(
      'line_connections_closed_total',
      'Conversations that are over, by reason.',
      ({ connections }) => connections.ended,
    );
  }

  #addTraffic(): void {
    this.#counter(
      'line_lines_total',
      'Lines received, whatever became of them.',
      ({ lines }) => lines,
    );
    this.#counter(
      'line_received_bytes_total',
      'Bytes taken from clients.',
      ({ bytes }) => bytes.received,
    );
    this.#counter('line_sent_bytes_total', 'Bytes given to clients.', ({ bytes }) => bytes.sent);
    this.#counterByReason(
      'line_pauses_total',
      'How often a client had to wait, by reason.',
      ({ pauses }) => pauses,
    );
    this.#gauge(
      'line_buffered_bytes',
      'Bytes kept for all clients together: input that waits, and replies that are not read.',
      ({ bufferedBytes }) => bufferedBytes,
    );
  }

  #gauge(name: string, help: string, read: Read): void {
    const { server } = this;
    const collect = function (this: Gauge): void {
      this.set(read(server.stats()));
    };
    this.registry.registerMetric(new Gauge({ name, help, registers: [], collect }));
  }

  #counter(name: string, help: string, read: Read): void {
    const { server } = this;
    const collect = function (this: Counter): void {
      this.reset();
      this.inc(read(server.stats()));
    };
    this.registry.registerMetric(new Counter({ name, help, registers: [], collect }));
  }

  #counterByReason(name: string, help: string, read: ReadByReason): void {
    const { server } = this;
    const collect = function (this: Counter<'reason'>): void {
      this.reset();
      for (const [reason, count] of Object.entries(read(server.stats()))) {
        this.inc({ reason }, count);
      }
    };
    const counter = new Counter({ name, help, labelNames: ['reason'], registers: [], collect });
    this.registry.registerMetric(counter);
  }
}
