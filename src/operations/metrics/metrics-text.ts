/**
 * MetricsText: where `/metrics` gets the metrics of the line server and of its process from. In one process that is
 * `MetricsModule`'s registry; in the primary of several, the sums of the workers'.
 */

/** All metrics but those of the service itself, in Prometheus' text format, each line with its end. */
export type MetricsText = () => Promise<string>;

/** The injection token of a {@link MetricsText}. */
export const METRICS_TEXT = Symbol('metrics text');
