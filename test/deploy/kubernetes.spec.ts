/** The manifests as kustomize renders them: what the API server takes, and what agrees with the service and with itself. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { IDeployment } from 'kubernetes-models/apps/v1';
import type { IConfigMap, IService } from 'kubernetes-models/v1';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readSettings, SETTING_NAMES } from '../../src/operations/config/settings.js';
import { faultsOf, type Manifest } from '../support/kubernetes.js';
import { missing } from '../support/programs.js';

const FOLDER = new URL('../../deploy/kubernetes/', import.meta.url);
const KUSTOMIZATIONS = missing('kubectl') ? [] : ['base', 'overlays/production'];

function render(kustomization: string): Manifest[] {
  const folder = fileURLToPath(new URL(kustomization, FOLDER));
  const text = execFileSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

function finder(manifests: readonly Manifest[]) {
  return <Kind>(kind: string, called = 'time-service'): Kind =>
    manifests.find(
      ({ kind: is, metadata }) => is === kind && metadata.name.startsWith(called),
    ) as Kind;
}

describe.each(KUSTOMIZATIONS)('The kustomization %s', (name) => {
  const manifests = render(name);
  const find = finder(manifests);
  const deployment = find<IDeployment>('Deployment');
  const pod = deployment.spec?.template;
  const container = pod?.spec?.containers[0];
  const configMap = find<IConfigMap>('ConfigMap');
  const settings = readSettings({ ...configMap.data });

  it.each(manifests)('renders a $kind, $metadata.name, that the API takes', (manifest) => {
    expect(faultsOf(manifest)).toEqual([]);
  });

  it('sets what the service reads, and nothing else', () => {
    const names = Object.keys(configMap.data ?? {});
    expect(container?.env).toBeUndefined();
    expect(names.filter((variable) => !SETTING_NAMES.includes(variable))).toEqual([]);
  });

  it('rolls the pods when a setting changes: the name of the ConfigMap has a hash', () => {
    expect(container?.envFrom).toEqual([{ configMapRef: { name: configMap.metadata?.name } }]);
    expect(configMap.metadata?.name).toMatch(/^time-service-[a-z\d]{10}$/);
  });

  it('opens the ports that the service listens on', () => {
    expect(container?.ports).toEqual([
      { name: 'time', containerPort: settings.PORT },
      { name: 'management', containerPort: settings.MANAGEMENT_PORT },
    ]);
    const ports = [find<IService>('Service'), find<IService>('Service', 'time-service-management')];
    expect(ports.map(({ spec }) => spec?.ports)).toEqual([
      [{ name: 'time', port: 45_000, targetPort: 'time' }],
      [{ name: 'management', port: settings.MANAGEMENT_PORT, targetPort: 'management' }],
    ]);
  });

  it('asks the management port, which the pod opens to others than itself', () => {
    const probes = [
      container?.startupProbe,
      container?.livenessProbe,
      container?.readinessProbe,
    ].map((probe) => probe?.httpGet);
    expect(probes).toEqual([
      { path: '/livez', port: 'management' },
      { path: '/livez', port: 'management' },
      { path: '/readyz', port: 'management' },
    ]);
    expect(settings.MANAGEMENT_HOST).toBe('0.0.0.0');
  });

  it('waits for the drain to be over before it kills', () => {
    const { seconds = 0 } = container?.lifecycle?.preStop?.sleep ?? {};
    const grace = pod?.spec?.terminationGracePeriodSeconds ?? 0;
    expect(grace).toBeGreaterThanOrEqual(seconds + settings.SHUTDOWN_GRACE_MS / 1_000 + 5);
  });

  it('serves on, and is ready, until nobody sends it clients any more: only then is it told to stop', () => {
    expect(container?.lifecycle).toEqual({ preStop: { sleep: { seconds: 20 } } });
    expect(settings.SHUTDOWN_DELAY_MS).toBe(0);
  });

  it('leaves most of the memory to other things than what waits for clients', () => {
    const [, mebibytes] = /^(\d+)Mi$/.exec(String(container?.resources?.limits?.['memory'])) ?? [];
    expect(settings.MAX_BUFFERED_BYTES).toBeLessThanOrEqual((Number(mebibytes) * 2 ** 20) / 4);
  });

  it('selects its pods, whoever selects', () => {
    const labels = { 'app.kubernetes.io/name': 'time-service' };
    expect(pod?.metadata?.labels).toEqual(labels);
    expect(deployment.spec?.selector).toEqual({ matchLabels: labels });
    expect(find<IService>('Service').spec?.selector).toEqual(labels);
    expect(find<IService>('Service', 'time-service-management').spec?.selector).toEqual(labels);
    expect(find('NetworkPolicy')).toMatchObject({ spec: { podSelector: { matchLabels: labels } } });
    expect(find('PodDisruptionBudget')).toMatchObject({
      spec: { selector: { matchLabels: labels } },
    });
    expect(pod?.spec?.topologySpreadConstraints).toEqual([
      expect.objectContaining({ labelSelector: { matchLabels: labels } }),
      expect.objectContaining({ labelSelector: { matchLabels: labels } }),
    ]);
  });

  it('asks for no right at all', () => {
    expect(pod?.spec?.securityContext).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(container?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod?.spec?.automountServiceAccountToken).toBe(false);
  });
});

describe.skipIf(missing('kubectl'))('With the Prometheus operator', () => {
  const find = (kind: string, called?: string): Manifest =>
    finder(render('overlays/production'))<Manifest>(kind, called);

  it('lets Prometheus find the management Service, and name the job as the alerts do', () => {
    const { metadata } = find('Service', 'time-service-management');
    expect(find('ServiceMonitor')).toMatchObject({
      spec: {
        jobLabel: 'app.kubernetes.io/name',
        selector: { matchLabels: metadata?.labels },
        endpoints: [{ port: 'management', path: '/metrics' }],
      },
    });
    expect(find('Service').metadata?.labels).not.toEqual(metadata?.labels);
  });

  it('the alerts are those of deploy/prometheus', () => {
    const alerts = new URL('../../deploy/prometheus/alerts.yaml', import.meta.url);
    expect(find('PrometheusRule')).toMatchObject({ spec: parse(readFileSync(alerts, 'utf8')) });
  });

  it('no cluster without it is asked for kinds that it does not know', () => {
    const versions = render('base').map(({ apiVersion }) => apiVersion);
    expect(versions).not.toContainEqual(expect.stringContaining('monitoring.coreos.com'));
  });
});

describe('A manifest is refused', () => {
  const service = (spec: object): Manifest =>
    ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec }) as Manifest;

  it('whose value is of the wrong kind', () => {
    expect(faultsOf(service({ ports: [{ port: 'time' }] }))).toEqual([
      expect.stringContaining('/spec/ports/0/port must be integer'),
    ]);
  });

  it('which has a field that is in no schema', () => {
    expect(
      faultsOf(service({ ports: [{ port: 1, prot: 'TCP' }], sessionafinity: 'None' })),
    ).toEqual(['unknown field /spec/sessionafinity', 'unknown field /spec/ports/0/prot']);
  });
});
