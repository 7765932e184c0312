/**
 * Kubernetes' objects, held to the schemas of its API.
 */
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1';
import {
  PrometheusRule,
  ServiceMonitor,
} from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import { Deployment } from 'kubernetes-models/apps/v1';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import { ConfigMap, Namespace, Service } from 'kubernetes-models/v1';

/** What every object has. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
}

const MODELS = [
  ConfigMap,
  Deployment,
  HorizontalPodAutoscaler,
  Namespace,
  NetworkPolicy,
  PodDisruptionBudget,
  PrometheusRule,
  Service,
  ServiceMonitor,
];

/**
 * What the API server would not take: the first value that is wrong, and every field that is in no schema. A schema looks at each
 * field it knows, so a field that was not looked at is one that it does not know.
 */
export function faultsOf(manifest: Manifest): string[] {
  const { apiVersion, kind } = manifest;
  const model = MODELS.find((each) => each.apiVersion === apiVersion && each.kind === kind);
  if (model === undefined) return [`no schema of ${apiVersion} ${kind}`];
  const unread = new Set<string>();
  try {
    const object = Object.create(model.prototype) as { validate: () => void };
    watched(Object.assign(object, manifest), unread).validate();
  } catch (error) {
    return [String(error)];
  }
  return [...unread].map((path) => `unknown field ${path}`);
}

/** An object that takes each of its fields that is looked at from the set, at any depth. */
function watched<T extends object>(object: T, unread: Set<string>, path = ''): T {
  const children = new Map<string | symbol, object>();
  for (const key of Object.keys(object)) unread.add(`${path}/${key}`);
  return new Proxy(object, {
    get(target, key): unknown {
      if (typeof key === 'string') unread.delete(`${path}/${key}`);
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'object' || value === null || typeof key === 'symbol') return value;
      const child = children.get(key) ?? watched(value, unread, `${path}/${key}`);
      children.set(key, child);
      return child;
    },
  });
}
