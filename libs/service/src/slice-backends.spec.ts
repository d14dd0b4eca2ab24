import { ENDPOINT_SLICE, type EndpointSlice, parseResource } from '@isthmus/model';
import { sliceBackends } from './slice-backends.ts';

const OWN = { cluster: 'east', clusterId: 1 };

const slice = (fields: object, labels: Record<string, string> = { 'kubernetes.io/service-name': 'echo' }): EndpointSlice =>
  parseResource(ENDPOINT_SLICE, {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'echo-abc', namespace: 'default', labels },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    ...fields,
  });

const ports = [{ name: 'http', protocol: 'TCP', port: 8080 }];

describe('sliceBackends', () => {
  it('keeps those apart that serve while they terminate, and leaves out those that do not serve', () => {
    const endpoints = [
      { addresses: ['10.1.0.1'], conditions: { ready: true } },
      { addresses: ['10.1.0.2'], conditions: { ready: false, serving: true, terminating: true } },
      { addresses: ['10.1.0.3'], conditions: { ready: false, serving: false, terminating: true } },
      { addresses: ['10.1.0.4'], conditions: { ready: false } },
      { addresses: ['10.1.0.5'] },
    ];
    expect(sliceBackends(slice({ endpoints }), OWN)).toEqual({
      cluster: 'east',
      clusterId: 1,
      namespace: 'default',
      name: 'echo',
      backends: [
        { ip: '10.1.0.1', ports },
        { ip: '10.1.0.5', ports },
      ],
      terminating: [{ ip: '10.1.0.2', ports }],
    });
  });

  it('leaves out addresses of another type, v4-mapped ones and what is no address', () => {
    const addresses = ['10.1.0.1', 'fd00::1', '::ffff:10.1.0.9', 'pod.example', '10.1.0.01'];
    const ips = (addressType: string) =>
      sliceBackends(slice({ addressType, endpoints: [{ addresses }] }), OWN)?.backends.map(({ ip }) => ip);
    expect(ips('IPv4')).toEqual(['10.1.0.1']);
    expect(ips('IPv6')).toEqual(['fd00::1']);
  });

  it('is nothing without a service, or with host names', () => {
    expect(sliceBackends(slice({}, {}), OWN)).toBeUndefined();
    expect(sliceBackends(slice({ addressType: 'FQDN' }), OWN)).toBeUndefined();
  });

  it('stays, empty, while a slice has no ports or no endpoints', () => {
    expect(sliceBackends(slice({ ports: null, endpoints: [{ addresses: ['10.1.0.1'] }] }), OWN)?.backends).toEqual([]);
    expect(sliceBackends(slice({}), OWN)?.backends).toEqual([]);
  });
});
