import { encodeIp, encodeNode, identityKey, ipKey, nodeKey, serviceKey } from '@isthmus/mesh';
import type { FakeRemote, KeyWrite } from './fake-remote.ts';

/** A record and why it must not be taken. */
export interface HostileRecord extends KeyWrite {
  readonly kind: 'nodes' | 'identities' | 'ips' | 'services';
  readonly reason: string;
}

const POD = 300;

/** What an honest cluster of one node and one pod writes. */
export function honestRecords(remote: FakeRemote): KeyWrite[] {
  const identity = remote.id * 65_536 + POD;
  return [
    { key: nodeKey(remote.name, 'n1'), value: node(remote, 'n1', {}) },
    { key: identityKey(identity), value: labels(remote.name) },
    podRecord(remote, podOf(remote)),
    { key: serviceKey(remote.name, 'default', 'lonely'), value: service(remote, 'lonely', podOf(remote)) },
  ];
}

/** A pod's address, with the identity of {@link honestRecords}. */
export function podRecord(remote: FakeRemote, address: string): KeyWrite {
  return { key: ipKey(address), value: ip(remote, address, remote.id * 65_536 + POD) };
}

/** The pod of {@link honestRecords}. */
export function podOf({ id }: FakeRemote): string {
  return `10.${id}.0.5`;
}

/**
 * Everything that a cluster must not say, each for its own reason: of others' names, ids, identities and addresses, of addresses that are
 * nobody's, and what is no record at all.
 */
export function hostileRecords(remote: FakeRemote): HostileRecord[] {
  const { name, id } = remote;
  const own = id * 65_536 + POD;
  const at = (address: string, reason: string, value: string): HostileRecord => ({ kind: 'ips', key: ipKey(address), reason, value });
  const nodeAs = (as: string, reason: string, patch: object): HostileRecord => ({
    kind: 'nodes',
    key: nodeKey(name, as),
    reason,
    value: node(remote, as, patch),
  });
  const serviceAs = (as: string, reason: string, value: string): HostileRecord => ({
    kind: 'services',
    key: serviceKey(name, 'default', as),
    reason,
    value,
  });
  return [
    at(`10.${id}.0.6`, 'foreign-identity', ip(remote, `10.${id}.0.6`, 2 * 65_536 + 1)),
    // A pod of west, an address of east that nobody has, and the world.
    at('10.2.0.2', 'foreign-network', ip(remote, '10.2.0.2', own)),
    at('10.1.200.9', 'foreign-network', ip(remote, '10.1.200.9', own)),
    at('192.0.2.99', 'foreign-network', ip(remote, '192.0.2.99', own)),
    at('0.0.0.0/1', 'foreign-network', ip(remote, '0.0.0.0/1', own)),
    at('10.1.0.77', 'foreign-network', ip(remote, '10.1.0.77', 1)),
    at(`10.${id}.0.7`, 'bad-json', 'garbage'),
    at(`10.${id}.0.8`, 'key-mismatch', ip(remote, `10.${id}.0.9`, own)),
    { ...at(`10.${id}.0.10`, 'bad-encoding', ''), value: undefined, base64: Buffer.from([0xff, 0xfe, 0x80]).toString('base64') },
    nodeAs('of-west', 'foreign-cluster', { Cluster: 'west' }),
    nodeAs('of-two', 'foreign-cluster-id', { ClusterID: 2 }),
    nodeAs('n2', 'key-mismatch', { Name: 'n3' }),
    nodeAs('n4', 'foreign-network', { IPv4AllocCIDR: '10.1.0.0/25' }),
    nodeAs('n5', 'foreign-network', { IPv4AllocCIDR: '0.0.0.0/0' }),
    nodeAs('n6', 'foreign-network', { IPAddresses: [{ Type: 'InternalIP', IP: '10.2.0.2' }] }),
    { kind: 'identities', key: identityKey(2 * 65_536 + 9), reason: 'foreign-identity', value: labels(name) },
    { kind: 'identities', key: identityKey(own + 1), reason: 'foreign-cluster', value: labels('west') },
    { kind: 'identities', key: identityKey(own + 2), reason: 'bad-label', value: 'nonsense;' },
    serviceAs('of-west', 'foreign-cluster', service(remote, 'of-west', podOf(remote)).replace(`"cluster":"${name}"`, '"cluster":"west"')),
    serviceAs('thief', 'foreign-network', service(remote, 'thief', '10.2.0.2')),
    serviceAs('huge', 'too-large', 'x'.repeat(2_000_000)),
  ];
}

/** A service whose record is about so long. It has nobody to serve. */
export function bulkyService(remote: FakeRemote, name: string, bytes: number): KeyWrite {
  const value = { ...(JSON.parse(service(remote, name, podOf(remote))) as object), backends: {}, labels: { padding: 'x'.repeat(bytes) } };
  return { key: serviceKey(remote.name, 'default', name), value: JSON.stringify(value) };
}

function labels(cluster: string): string {
  return `k8s:app=any;k8s:io.cilium.k8s.policy.cluster=${cluster};`;
}

function ip({ address }: FakeRemote, of: string, identity: number): string {
  const names = { namespace: 'default', podName: 'p', podUid: '', serviceAccount: '', namedPorts: [] };
  return encodeIp({ ip: of, hostIp: address, identity, encryptionKey: 0, ...names });
}

function service({ name: cluster, id: clusterID }: FakeRemote, name: string, backend: string): string {
  const backends = { [backend]: { http: { Protocol: 'TCP', Port: 80 } } };
  const rest = { frontends: {}, labels: {}, selector: {}, includeExternal: true, shared: true };
  return JSON.stringify({ cluster, namespace: 'default', name, backends, ...rest, clusterID });
}

function node(remote: FakeRemote, name: string, patch: object): string {
  const record = encodeNode({
    cluster: remote.name,
    name,
    clusterId: remote.id,
    addresses: [{ type: 'InternalIP', ip: remote.address }],
    ipv4Cidr: `10.${remote.id}.0.0/24`,
    ipv4SecondaryCidrs: null,
    ipv6Cidr: '',
    ipv6SecondaryCidrs: null,
    ipv4HealthIp: '',
    ipv6HealthIp: '',
    ipv4IngressIp: '',
    ipv6IngressIp: '',
    source: 'custom-resource',
    encryptionKey: 0,
    labels: new Map(),
    annotations: new Map(),
    wireguardPubKey: '',
    bootId: '',
  });
  return JSON.stringify({ ...(JSON.parse(record) as object), ...patch });
}
