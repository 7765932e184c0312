/**
 * What the primary and its workers say to each other. Messages of one direction arrive in the order in which they were sent.
 */
import type { AddressInfo } from 'node:net';
import type { MetricObjectWithValues, MetricValue } from 'prom-client';

/** What a worker has counted, as prom-client's registries give it. */
export type Metrics = MetricObjectWithValues<MetricValue<string>>[];

export type ToWorker =
  /** The answer to `started`: where clients connect. */
  | { readonly type: 'begin'; readonly address: AddressInfo | string }
  /** A client, whose socket comes with it. Until it is `taken`, no other one comes. */
  | { readonly type: 'client' }
  | { readonly type: 'report' }
  /** Whether it is there: it answers with `open`. */
  | { readonly type: 'ask' }
  /** No client will come any more: finish, and end. */
  | { readonly type: 'leave' };

export type ToPrimary =
  /** It hears what it is told; before that, node:cluster would drop it. */
  | { readonly type: 'started' }
  /** It takes clients from now on, and this many at the most. */
  | { readonly type: 'ready'; readonly max: number }
  /** The client has been read nothing of yet. */
  | { readonly type: 'taken'; readonly open: number }
  /** Its conversations that are not over, with those that have not begun yet. */
  | { readonly type: 'open'; readonly open: number }
  | { readonly type: 'report'; readonly metrics: Metrics }
  /** The last one: how many conversations had to be cut. */
  | { readonly type: 'left'; readonly cut: number };
