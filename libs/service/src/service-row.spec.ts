import { parseResource, SERVICE, type Service } from '@isthmus/model';
import { serviceRow, serviceWarnings } from './service-row.ts';

const service = (spec: object, annotations: Record<string, string> = {}, labels: Record<string, string> = {}): Service =>
  parseResource(SERVICE, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'echo', namespace: 'default', annotations, labels },
    spec,
  });

const ports = [{ name: 'http', port: 80, targetPort: 8080 }];

describe('serviceRow', () => {
  it('takes defaults as Kubernetes and Cilium do', () => {
    expect(serviceRow(service({ clusterIP: '10.96.0.10', ports: [{ port: 80 }] }))).toEqual({
      namespace: 'default',
      name: 'echo',
      clusterIps: ['10.96.0.10'],
      exposure: { labels: {}, loadBalancerIps: [], externalIps: [], externalLocal: false, internalLocal: false },
      ports: [{ name: '', protocol: 'TCP', port: 80 }],
      global: false,
      shared: false,
      affinity: 'none',
    });
  });

  it('keeps both families in canonical text, each address and each port once', () => {
    const row = serviceRow(
      service({
        clusterIPs: ['10.96.0.10', 'FD00:0::10', 'fd00::10'],
        ports: [...ports, { name: 'again', port: 80 }, { name: 'dns', port: 80, protocol: 'UDP' }],
      }),
    );
    expect(row?.clusterIps).toEqual(['10.96.0.10', 'fd00::10']);
    expect(row?.ports.map(({ name }) => name)).toEqual(['http', 'dns']);
  });

  it.each([
    ['by its cluster IP', service({ clusterIP: 'None', ports })],
    ['by its cluster IPs', service({ clusterIPs: ['None'], ports })],
    ['by its label', service({ clusterIP: '10.96.0.10', ports }, {}, { 'service.kubernetes.io/headless': '' })],
    ['before it has an address', service({ clusterIP: '', ports })],
  ])('gives a service no address that has none: %s', (_how, each) => {
    expect(serviceRow(each)?.clusterIps).toEqual([]);
  });

  it('tells what may be announced of it: of a LoadBalancer what is ours, and whom it is for', () => {
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.10' }, { hostname: 'lb.example' }, { ip: 'FD00:0::99' }] } };
    const spec = { type: 'LoadBalancer', externalIPs: ['198.51.100.7'], externalTrafficPolicy: 'Local', ports };
    const exposure = (more: object) => serviceRow({ ...service({ ...spec, ...more }, {}, { app: 'web' }), status })?.exposure;
    expect(exposure({})).toEqual({
      labels: { app: 'web' },
      loadBalancerIps: ['192.0.2.10', 'fd00::99'],
      externalIps: ['198.51.100.7'],
      externalLocal: true,
      internalLocal: false,
    });
    expect(exposure({ loadBalancerClass: 'io.cilium/bgp-control-plane' })?.loadBalancerIps).toHaveLength(2);
    expect(exposure({ loadBalancerClass: 'example.com/other' })?.loadBalancerIps).toEqual([]);
    expect(exposure({ type: 'ClusterIP', internalTrafficPolicy: 'Local' })).toMatchObject({ loadBalancerIps: [], internalLocal: true });
  });

  it('leaves an ExternalName to DNS', () => {
    expect(serviceRow(service({ type: 'ExternalName', ports }))).toBeUndefined();
  });

  it.each([
    [{ 'service.cilium.io/global': 'true' }, { global: true, shared: true, affinity: 'none' }],
    [
      { 'io.cilium/global-service': 'true', 'io.cilium/service-affinity': 'local' },
      { global: true, shared: true, affinity: 'local' },
    ],
    [
      { 'service.cilium.io/global': 'true', 'service.cilium.io/shared': 'false' },
      { global: true, shared: false },
    ],
    [
      { 'io.cilium/global-service': 'true', 'io.cilium/shared-service': 'false' },
      { global: true, shared: false },
    ],
    [
      { 'service.cilium.io/global': 'false', 'io.cilium/global-service': 'true' },
      { global: false, shared: false },
    ],
    [{ 'service.cilium.io/shared': 'true' }, { global: false, shared: false }],
    [{ 'service.cilium.io/affinity': 'REMOTE' }, { affinity: 'remote' }],
  ])('reads the annotations %j', (annotations, expected) => {
    expect(serviceRow(service({ ports }, annotations as unknown as Record<string, string>))).toMatchObject(expected);
  });

  it('takes bad values as the default and says so', () => {
    const bad = service({ ports }, { 'service.cilium.io/global': 'yes', 'service.cilium.io/affinity': 'nearest' });
    expect(serviceRow(bad)).toMatchObject({ global: false, affinity: 'none' });
    expect(serviceWarnings(bad).map((each) => each.toJSON())).toEqual([
      expect.objectContaining({
        code: 'SERVICE_ANNOTATION_INVALID',
        object: 'default/echo',
        message: 'service default/echo: annotation service.cilium.io/global is "yes"; false is used',
      }),
      expect.objectContaining({ message: 'service default/echo: annotation service.cilium.io/affinity is "nearest"; none is used' }),
    ]);
    expect(serviceWarnings(service({ ports }, { 'service.cilium.io/global': 'true' }))).toEqual([]);
  });
});
