import { parseResource, SERVICE, SERVICE_EXPORT, type Service, type ServiceExport } from '@isthmus/model';
import { serviceExportRecord } from './mcs-export.ts';

const service = (spec: object = {}): Service =>
  parseResource(SERVICE, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'echo', namespace: 'default' },
    spec: { clusterIP: '10.96.0.10', ports: [{ name: 'http', port: 80 }], ...spec },
  });

const exported = (metadata: object = { creationTimestamp: '2024-05-01T12:00:00.25+02:00' }, spec: object = {}): ServiceExport =>
  parseResource(SERVICE_EXPORT, {
    apiVersion: 'multicluster.x-k8s.io/v1alpha1',
    kind: 'ServiceExport',
    metadata: { name: 'echo', namespace: 'default', ...metadata },
    spec,
  });

const record = (from: Service, serviceExport = exported(), namespaceGlobal = true) =>
  serviceExportRecord({ cluster: 'cluster3', service: from, serviceExport, namespaceGlobal });

describe('serviceExportRecord', () => {
  it('writes every field that readers insist on', () => {
    expect(record(service())).toEqual({
      cluster: 'cluster3',
      namespace: 'default',
      name: 'echo',
      annotations: null,
      labels: null,
      exportCreationTimestamp: '2024-05-01T10:00:00Z',
      ports: [{ name: 'http', protocol: 'TCP', appProtocol: undefined, port: 80 }],
      type: 'ClusterSetIP',
      sessionAffinity: 'None',
      sessionAffinityTimeout: undefined,
      ipFamilies: [],
      internalTrafficPolicy: undefined,
      trafficDistribution: undefined,
    });
  });

  it('carries what is set, and leaves out values that readers refuse', () => {
    const spec = {
      clusterIP: 'None',
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
      ipFamilies: ['IPv6'],
      internalTrafficPolicy: 'Local',
      trafficDistribution: 'Nearest',
      ports: [{ name: 'web', port: 80, appProtocol: 'http' }],
    };
    const labels = { exportedLabels: { tier: 'gold' }, exportedAnnotations: { owner: 'me' } };
    expect(record(service(spec), exported(undefined, labels))).toMatchObject({
      type: 'Headless',
      sessionAffinity: 'ClientIP',
      sessionAffinityTimeout: 60,
      ipFamilies: ['IPv6'],
      internalTrafficPolicy: 'Local',
      trafficDistribution: undefined,
      ports: [{ appProtocol: 'http' }],
      labels: new Map([['tier', 'gold']]),
      annotations: new Map([['owner', 'me']]),
    });
  });

  it.each([
    ['an ExternalName', record(service({ type: 'ExternalName' }))],
    ['a namespace that is not global', record(service(), exported(), false)],
    ['an export without a time of creation', record(service(), exported({}))],
  ])('is nothing for %s', (_what, none) => {
    expect(none).toBeUndefined();
  });
});
