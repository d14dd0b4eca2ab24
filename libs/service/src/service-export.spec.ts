import { ENDPOINT_SLICE, type EndpointSlice, parseResource, SERVICE, type Service } from '@isthmus/model';
import { clusterServiceRecord } from './service-export.ts';

const GLOBAL = { 'service.cilium.io/global': 'true' };

const service = (spec: object = {}, annotations: Record<string, string> = GLOBAL): Service =>
  parseResource(SERVICE, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'echo', namespace: 'default', labels: { app: 'echo' }, annotations },
    spec: { clusterIP: '10.96.0.10', selector: { app: 'echo' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }], ...spec },
  });

const slice = (name: string, endpoints: object[], ports: object[] = [{ name: 'http', port: 8080 }], addressType = 'IPv4'): EndpointSlice =>
  parseResource(ENDPOINT_SLICE, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, namespace: 'default', labels: { 'kubernetes.io/service-name': 'echo' } },
    addressType,
    endpoints,
    ports,
  });

const record = (from: Service, slices: EndpointSlice[] = [], namespaceGlobal = true) =>
  clusterServiceRecord({ cluster: 'cluster3', clusterId: 3, service: from, slices, namespaceGlobal });

describe('clusterServiceRecord', () => {
  it('is what Cilium writes of the same service', () => {
    expect(record(service(), [slice('echo-1', [{ addresses: ['10.244.1.10'], conditions: { ready: true } }])])).toEqual({
      cluster: 'cluster3',
      clusterId: 3,
      namespace: 'default',
      name: 'echo',
      frontends: [{ ip: '10.96.0.10', ports: [{ name: 'http', protocol: 'TCP', port: 80 }] }],
      backends: [{ ip: '10.244.1.10', ports: [{ name: 'http', protocol: 'TCP', port: 8080 }] }],
      hostnames: new Map(),
      zones: new Map(),
      labels: new Map([['app', 'echo']]),
      selector: new Map([['app', 'echo']]),
      includeExternal: true,
      shared: true,
    });
  });

  it.each([
    ['a service that is not global', record(service({}, {}))],
    ['one that is not shared', record(service({}, { ...GLOBAL, 'service.cilium.io/shared': 'false' }))],
    ['an ExternalName', record(service({ type: 'ExternalName' }))],
    ['a namespace that is not global', record(service(), [], false)],
  ])('is nothing for %s', (_what, none) => {
    expect(none).toBeUndefined();
  });

  it('lists who is ready or serves, from all slices, ports together', () => {
    const going = { addresses: ['10.244.1.11'], conditions: { ready: false, serving: true, terminating: true } };
    const dead = { addresses: ['10.244.1.12'], conditions: { ready: false, serving: false } };
    const both = { addresses: ['10.244.1.10'] };
    const slices = [
      slice('echo-2', [both], [{ name: 'dns', protocol: 'UDP', port: 53 }]),
      slice('echo-1', [going, dead, both]),
      slice('echo-3', [{ addresses: ['fd00::1'] }], undefined, 'IPv6'),
    ];
    expect(record(service(), slices)?.backends).toEqual([
      {
        ip: '10.244.1.10',
        ports: [
          { name: 'http', protocol: 'TCP', port: 8080 },
          { name: 'dns', protocol: 'UDP', port: 53 },
        ],
      },
      { ip: '10.244.1.11', ports: [{ name: 'http', protocol: 'TCP', port: 8080 }] },
      { ip: 'fd00::1', ports: [{ name: 'http', protocol: 'TCP', port: 8080 }] },
    ]);
  });

  it('has no frontends when headless, but names hosts and zones', () => {
    const headless = record(service({ clusterIP: 'None' }), [
      slice('echo-1', [{ addresses: ['10.244.1.10'], hostname: 'echo-0', zone: 'a' }]),
    ]);
    expect(headless).toMatchObject({
      frontends: [],
      hostnames: new Map([['10.244.1.10', 'echo-0']]),
      zones: new Map([['10.244.1.10', { zone: 'a', forZones: [] }]]),
    });
  });
});
