import { POD, type Pod, parseResource, SERVICE, type Service } from '@isthmus/model';
import { podRow } from './pod-row.ts';
import { serviceRow } from './service-row.ts';
import { type SliceRow, slicesOf } from './slice-row.ts';

function pod(name: string, ip: string | string[], changes: { spec?: object; status?: object; metadata?: object } = {}): Pod {
  return parseResource(POD, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'shop', labels: { app: 'web' }, ...changes.metadata },
    spec: { nodeName: 'n1', containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 8080 }] }], ...changes.spec },
    status: { podIPs: [ip].flat().map((each) => ({ ip: each })), ...changes.status },
  });
}

function slices(spec: Partial<Service['spec']>, pods: Pod[]): SliceRow[] {
  const service = parseResource(SERVICE, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 'http' }], ...spec },
  });
  return slicesOf(
    serviceRow(service)!,
    pods.flatMap((each) => podRow(each) ?? []),
    [4, 6],
  );
}

const conditions = ({ endpoints }: SliceRow) => endpoints.map(({ pod, ready, serving, terminating }) => [pod, ready, serving, terminating]);

describe('slicesOf', () => {
  it('makes one slice a family, pods in order of their names', () => {
    const made = slices({}, [pod('b', ['10.0.0.2', 'fd00::2']), pod('a', ['fd00:0::1', '10.0.0.1'])]);
    expect(made.map(({ name, family, endpoints }) => [name, family, endpoints.map(({ ip }) => ip)])).toEqual([
      ['web-v4', 4, ['10.0.0.1', '10.0.0.2']],
      ['web-v6', 6, ['fd00::1', 'fd00::2']],
    ]);
    expect(made[0]!.ports).toEqual([{ name: '', protocol: 'TCP', port: 8080 }]);
  });

  it('keeps to the families of the service', () => {
    expect(slices({ ipFamilies: ['IPv6'] }, []).map(({ name }) => name)).toEqual(['web-v6']);
    expect(slices({ clusterIP: '10.9.0.1', clusterIPs: ['10.9.0.1'] }, []).map(({ name }) => name)).toEqual(['web-v4']);
  });

  it('tells ready, not ready and terminating apart', () => {
    const ready = (status: string) => ({ status: { podIPs: [{ ip: '10.0.0.9' }], conditions: [{ type: 'Ready', status }] } });
    const dying = { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } };
    const pods = [
      pod('a', '10.0.0.1'),
      pod('b', '', ready('True')),
      pod('c', '', ready('False')),
      pod('d', '10.0.0.4', dying),
      pod('e', '10.0.0.5', { ...dying, ...ready('False') }),
    ];
    expect(conditions(slices({}, pods)[0]!)).toEqual([
      ['a', true, true, false],
      ['b', true, true, false],
      ['c', false, false, false],
      ['d', false, true, true],
      ['e', false, false, true],
    ]);
    expect(conditions(slices({ publishNotReadyAddresses: true }, pods)[0]!).map(([, isReady]) => isReady)).toEqual(Array(5).fill(true));
  });

  it('leaves out pods without an address, and those that have ended', () => {
    const pods = [pod('a', []), pod('b', '10.0.0.2', { status: { podIPs: [{ ip: '10.0.0.2' }], phase: 'Succeeded' } })];
    expect(slices({}, pods).map(({ endpoints }) => endpoints)).toEqual([[], []]);
  });

  it('resolves numbers, names and the default', () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 81, targetPort: 9090 },
      { name: 'c', port: 82, targetPort: 'http' },
      { name: 'd', port: 83, targetPort: 'http', protocol: 'UDP' as const },
    ];
    expect(slices({ ports }, [pod('a', '10.0.0.1')])[0]!.ports).toEqual([
      { name: 'a', protocol: 'TCP', port: 80 },
      { name: 'b', protocol: 'TCP', port: 9090 },
      { name: 'c', protocol: 'TCP', port: 8080 },
    ]);
  });

  it('gives pods whose named port has another number a slice of their own', () => {
    const other = { spec: { containers: [{ name: 'c', ports: [{ name: 'http', containerPort: 9090 }] }] } };
    const made = slices({ ipFamilies: ['IPv4'] }, [
      pod('a', '10.0.0.1', other),
      pod('b', '10.0.0.2'),
      pod('c', '10.0.0.3', { spec: { containers: [] } }),
    ]);
    expect(made.map(({ name, ports, endpoints }) => [name, ports[0]?.port, endpoints.map((each) => each.pod)])).toEqual([
      ['web-v4', 8080, ['b']],
      ['web-v4-2', 9090, ['a']],
    ]);
  });

  it('makes no row of an ExternalName', () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'x' }, spec: { type: 'ExternalName' as const } };
    expect(serviceRow(service)).toBeUndefined();
  });
});
