import { GOLDEN } from '../testing/golden.ts';
import type { Decoded, RecordContext } from './decode-result.ts';
import { decodeRecord, encodeRecord, type RecordRows } from './record.codec.ts';
import { RECORD_KINDS, type RecordKind } from './record-kind.ts';

const utf8 = new TextEncoder();
const context = (name: string): RecordContext => ({ cluster: 'cluster3', clusterId: 3, maxConnectedClusters: 255, name });
const decode = <K extends RecordKind>(kind: K, text: string, name: string): Decoded<RecordRows[K]> =>
  decodeRecord(kind, utf8.encode(text), context(name));
/** Golden `text` with one field of the top level replaced. */
const patched = (text: string, patch: object): string => JSON.stringify({ ...JSON.parse(text), ...patch });

const cases: [RecordKind, keyof typeof GOLDEN, string][] = [
  ['nodes', 'nodeFull', 'worker-1'],
  ['nodes', 'nodeBare', 'n'],
  ['identities', 'identity', '196915'],
  ['ips', 'ipPod', '10.244.1.79'],
  ['ips', 'ipPorts', 'fd00::1'],
  ['ips', 'ipNet', '10.1.0.0/16'],
  ['services', 'service', 'default/echo'],
  ['services', 'serviceBare', 'default/echo'],
  ['serviceexports', 'serviceExport', 'default/echo'],
  ['serviceexports', 'serviceExportFull', 'default/echo'],
  ['wireguard', 'wireGuard', 'worker-1'],
  ['wireguard', 'wireGuardBare', 'worker-1'],
  ['wireguardtargets', 'wireGuardTarget', 'target'],
];

describe('golden records', () => {
  it.each(cases)('%s %s is written as it was read, byte for byte', (kind, golden, name) => {
    const decoded = decode(kind, GOLDEN[golden], name);
    expect(decoded).toMatchObject({ ok: true });
    if (decoded.ok) expect(encodeRecord(kind, decoded.value)).toBe(GOLDEN[golden]);
  });

  it.each(cases)('%s %s may carry fields that we do not know', (kind, golden, name) => {
    if (kind === 'identities') return;
    const more = patched(GOLDEN[golden], { Future: { a: [1] }, nodeIdentity: 7, constructor: 'x' });
    expect(decode(kind, more, name)).toEqual(decode(kind, GOLDEN[golden], name));
  });

  /** Nothing in an ip record with a reserved identity says whose it is. */
  const owned = cases.filter(([, golden]) => golden !== 'ipPorts');
  it.each(owned)('%s %s of another cluster is dropped', (kind, golden, name) => {
    const bytes = utf8.encode(GOLDEN[golden]);
    const decoded = decodeRecord(kind, bytes, { ...context(name), cluster: 'cluster4', clusterId: 4 });
    expect(decoded).toMatchObject({ ok: false });
  });

  it.each(cases)('%s %s under another key is dropped', (kind, golden) => {
    const others: Record<RecordKind, [name: string, reason?: string]> = {
      nodes: ['other'],
      identities: ['1', 'foreign-identity'],
      ips: ['10.9.9.9'],
      services: ['default/other'],
      serviceexports: ['other/echo'],
      wireguard: ['other'],
      wireguardtargets: ['other', 'bad-key'],
    };
    const [other, reason = 'key-mismatch'] = others[kind];
    expect(decode(kind, GOLDEN[golden], other)).toEqual({ ok: false, reason });
  });
});

describe('forms that readers must take', () => {
  it('node networks as text', () => {
    const text = patched(GOLDEN.nodeFull, { IPv4AllocCIDR: '10.244.1.0/24', IPv4SecondaryAllocCIDRs: ['10.245.0.0/16'], NodeIdentity: 1 });
    expect(decode('nodes', text, 'worker-1')).toEqual(decode('nodes', GOLDEN.nodeFull, 'worker-1'));
  });

  it('node networks with a mapped address, a 16-byte mask or host bits', () => {
    const mapped = patched(GOLDEN.nodeFull, { IPv4AllocCIDR: '::ffff:10.244.1.9/120' });
    const long = patched(GOLDEN.nodeFull, { IPv4AllocCIDR: { IP: '10.244.1.7', Mask: '////////////////////AA==' } });
    for (const text of [mapped, long]) expect(decode('nodes', text, 'worker-1')).toEqual(decode('nodes', GOLDEN.nodeFull, 'worker-1'));
  });

  it('a node with a host name among its addresses', () => {
    const text = patched(GOLDEN.nodeBare, {
      IPAddresses: [
        { Type: 'Hostname', IP: 'n.example' },
        { Type: 'InternalIP', IP: '10.0.0.1' },
      ],
    });
    expect(decode('nodes', text, 'n')).toMatchObject({ ok: true, value: { addresses: [{ type: 'InternalIP', ip: '10.0.0.1' }] } });
  });

  it('ip records with the Mask of older versions', () => {
    expect(decode('ips', patched(GOLDEN.ipPod, { Mask: null }), '10.244.1.79')).toEqual(decode('ips', GOLDEN.ipPod, '10.244.1.79'));
  });

  it('ip records of a remote host, as remote-node', () => {
    expect(decode('ips', patched(GOLDEN.ipPod, { ID: 1 }), '10.244.1.79')).toMatchObject({ value: { identity: 6 } });
  });

  it("exports' labels and annotations under capital names, alone or beside the others", () => {
    const { annotations: Annotations, labels: Labels, ...rest } = JSON.parse(GOLDEN.serviceExportFull) as Record<string, object>;
    const full = decode('serviceexports', GOLDEN.serviceExportFull, 'default/echo');
    for (const text of [patched(GOLDEN.serviceExportFull, { Annotations, Labels }), JSON.stringify({ ...rest, Annotations, Labels })])
      expect(decode('serviceexports', text, 'default/echo')).toEqual(full);
  });

  it('laggards in any order, and none', () => {
    const turned = patched(GOLDEN.wireGuard, { laggards: ['cluster4/worker-9', 'a/n-1'] });
    expect(decode('wireguard', turned, 'worker-1')).toEqual(decode('wireguard', GOLDEN.wireGuard, 'worker-1'));
    const bare = patched(GOLDEN.wireGuardBare, { epochs: null, laggards: null, minTx: undefined });
    expect(decode('wireguard', bare, 'worker-1')).toEqual(decode('wireguard', GOLDEN.wireGuardBare, 'worker-1'));
  });

  it('epochs up to the last one', () => {
    const last = epochs({ ...EVEN, epoch: 2 ** 32 - 2 }, { ...ODD, epoch: 2 ** 32 - 1 });
    expect(decode('wireguard', last, 'worker-1')).toMatchObject({ ok: true });
  });

  it('labels in any order, without a value, without the last semicolon', () => {
    const text = 'k8s:io.kubernetes.pod.namespace=bar;k8s:flag;k8s:io.cilium.k8s.policy.cluster=cluster3';
    const labels = ['k8s:flag=', 'k8s:io.cilium.k8s.policy.cluster=cluster3', 'k8s:io.kubernetes.pod.namespace=bar'];
    expect(decode('identities', text, '196608')).toEqual({ ok: true, value: { id: 196608, labels } });
  });
});

const [EVEN, ODD] = (JSON.parse(GOLDEN.wireGuard) as { epochs: [Epoch, Epoch] }).epochs;
type Epoch = { epoch: number; publicKey: string; port: number };
const epochs = (...all: object[]): string => patched(GOLDEN.wireGuard, { epochs: all });
const keyed = (publicKey: string): string => epochs({ ...EVEN, publicKey });

describe('hostile records', () => {
  const dropped: [RecordKind, string, string, string][] = [
    ['nodes', 'worker-1', patched(GOLDEN.nodeFull, { Name: '' }), 'bad-field'],
    ['nodes', 'worker-1', patched(GOLDEN.nodeFull, { ClusterID: 4 }), 'foreign-cluster-id'],
    ['nodes', 'worker-1', patched(GOLDEN.nodeFull, { ClusterID: -3 }), 'bad-field'],
    ['nodes', 'worker-1', patched(GOLDEN.nodeFull, { IPv4AllocCIDR: { IP: '10.0.0.0', Mask: '/wD/AA==' } }), 'bad-cidr'],
    ['nodes', 'worker-1', patched(GOLDEN.nodeFull, { IPv4AllocCIDR: 'fd00::/64' }), 'bad-cidr'],
    ['nodes', 'worker-1', patched(GOLDEN.nodeFull, { IPAddresses: [{ Type: 'InternalIP', IP: 'fe80::1%eth0' }] }), 'bad-address'],
    ['nodes', 'worker-1', patched(GOLDEN.nodeFull, { Labels: { a: 1 } }), 'bad-field'],
    ['identities', '65536', GOLDEN.identity, 'foreign-identity'],
    ['identities', '262144', GOLDEN.identity, 'foreign-identity'],
    ['identities', '0196915', GOLDEN.identity, 'bad-key'],
    ['identities', '196915', 'k8s:app=baz;', 'foreign-cluster'],
    ['identities', '196915', 'any:io.cilium.k8s.policy.cluster=cluster3;', 'foreign-cluster'],
    ['identities', '196915', 'nonsense;', 'bad-label'],
    ['ips', '10.244.1.79', patched(GOLDEN.ipPod, { ID: 131072 }), 'foreign-identity'],
    ['ips', '10.244.1.79', patched(GOLDEN.ipPod, { ID: 16777217 }), 'foreign-identity'],
    ['ips', '10.244.1.79', patched(GOLDEN.ipPod, { IP: 'x' }), 'bad-address'],
    ['ips', 'FD00::1', patched(GOLDEN.ipPorts, { IP: 'FD00::1' }), 'key-mismatch'],
    ['services', 'default/echo', patched(GOLDEN.service, { clusterID: 2 }), 'foreign-cluster-id'],
    [
      'services',
      'default/echo',
      patched(GOLDEN.service, { backends: { '10.0.0.1': { p: { Protocol: 'TCP', Port: 65536 } } } }),
      'bad-field',
    ],
    ['services', 'default/echo', patched(GOLDEN.service, { backends: { '10.0.0.1': { p: { Protocol: '', Port: 1 } } } }), 'bad-port'],
    ['services', 'default/echo', patched(GOLDEN.service, { backends: { 'fe80::1%e': {} } }), 'bad-address'],
    ['services', 'default/echo', patched(GOLDEN.service, { backends: [] }), 'bad-field'],
    ['serviceexports', 'default/echo', patched(GOLDEN.serviceExport, { sessionAffinity: '' }), 'unknown-value'],
    ['serviceexports', 'default/echo', patched(GOLDEN.serviceExport, { type: 'ExternalName' }), 'unknown-value'],
    ['serviceexports', 'default/echo', patched(GOLDEN.serviceExport, { exportCreationTimestamp: null }), 'bad-time'],
    ['serviceexports', 'default/echo', patched(GOLDEN.serviceExport, { trafficDistribution: 'Near' }), 'unknown-value'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { cluster: 'cluster4' }), 'foreign-cluster'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { clusterID: 4 }), 'foreign-cluster-id'],
    ['wireguard', 'worker-1', epochs({ ...EVEN, epoch: 0 }), 'bad-epoch'],
    ['wireguard', 'worker-1', epochs({ ...EVEN, epoch: 2 ** 32 }), 'bad-field'],
    ['wireguard', 'worker-1', epochs({ ...EVEN, epoch: 6.5 }), 'bad-field'],
    ['wireguard', 'worker-1', epochs(ODD, EVEN), 'bad-epoch'],
    ['wireguard', 'worker-1', epochs(EVEN, { ...ODD, epoch: 8, port: 51_871 }), 'bad-epoch'],
    ['wireguard', 'worker-1', epochs(EVEN, { ...EVEN, publicKey: ODD.publicKey }), 'bad-epoch'],
    ['wireguard', 'worker-1', epochs({ ...ODD, epoch: 5 }, EVEN, ODD), 'bad-epoch'],
    ['wireguard', 'worker-1', epochs(EVEN, { ...ODD, publicKey: EVEN.publicKey }), 'bad-public-key'],
    ['wireguard', 'worker-1', epochs({ ...EVEN, port: 51_872 }), 'bad-port'],
    ['wireguard', 'worker-1', epochs({ ...ODD, port: 51_871 }), 'bad-port'],
    ['wireguard', 'worker-1', epochs({ ...ODD, port: undefined }), 'bad-port'],
    ['wireguard', 'worker-1', epochs({ ...EVEN, kemKeyHash: Buffer.alloc(31, 7).toString('base64') }), 'bad-public-key'],
    ['wireguard', 'worker-1', epochs({ ...EVEN, kemKeyHash: Buffer.alloc(33, 7).toString('base64') }), 'bad-public-key'],
    [
      'wireguard',
      'worker-1',
      epochs({ ...EVEN, kemKeyHash: `${Buffer.alloc(32, 7).toString('base64').slice(0, -2)}9=` }),
      'bad-public-key',
    ],
    ['wireguard', 'worker-1', epochs({ ...EVEN, kemKeyHash: 7 }), 'bad-field'],
    ['wireguard', 'worker-1', keyed(''), 'bad-field'],
    ['wireguard', 'worker-1', keyed(EVEN.publicKey.slice(0, -1)), 'bad-public-key'],
    ['wireguard', 'worker-1', keyed(`${EVEN.publicKey}\n`), 'bad-public-key'],
    ['wireguard', 'worker-1', keyed(`${'B'.repeat(43)}=`), 'bad-public-key'], // what no encoder writes: bits that are spare
    ['wireguard', 'worker-1', keyed(`${'_'.repeat(42)}A=`), 'bad-public-key'],
    ['wireguard', 'worker-1', keyed(Buffer.alloc(31, 1).toString('base64')), 'bad-public-key'],
    ['wireguard', 'worker-1', keyed(Buffer.alloc(32).toString('base64')), 'bad-public-key'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { minTx: 2 ** 32 }), 'bad-field'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { laggards: Array.from({ length: 17 }, (_, i) => `c/n${i}`) }), 'bad-field'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { laggards: ['n1'] }), 'bad-field'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { laggards: ['c/n/1'] }), 'bad-field'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { laggards: ['C/n1'] }), 'bad-field'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { laggards: [1] }), 'bad-field'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { blockedBy: Array.from({ length: 17 }, (_, i) => `c/n${i}`) }), 'bad-field'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { blockedBy: ['n1'] }), 'bad-field'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { wanted: { epoch: 0, cluster: 'a' } }), 'bad-epoch'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { wanted: { epoch: 8, cluster: 'A' } }), 'bad-field'],
    ['wireguard', 'worker-1', patched(GOLDEN.wireGuard, { wanted: [] }), 'bad-field'],
    ['wireguardtargets', 'target', patched(GOLDEN.wireGuardTarget, { clusterID: 4 }), 'foreign-cluster-id'],
    ['wireguardtargets', 'target', patched(GOLDEN.wireGuardTarget, { target: 0 }), 'bad-epoch'],
    ['wireguardtargets', 'target', patched(GOLDEN.wireGuardTarget, { target: 2 ** 32 }), 'bad-field'],
    ['wireguardtargets', 'target', patched(GOLDEN.wireGuardTarget, { startedAt: 'now' }), 'bad-time'],
    ['wireguardtargets', 'target', patched(GOLDEN.wireGuardTarget, { by: 1 }), 'bad-field'],
  ];

  it.each(dropped)('%s %s %s is dropped as %s', (kind, name, text, reason) => {
    expect(decode(kind, text, name)).toEqual({ ok: false, reason });
  });

  it.each(RECORD_KINDS)('%s of 2 MB are dropped unread', (kind) => {
    expect(decodeRecord(kind, new Uint8Array(2_000_000), context('x'))).toEqual({ ok: false, reason: 'too-large' });
  });

  it.each(RECORD_KINDS)('%s with a key of 100 kB are dropped', (kind) => {
    expect(decode(kind, '{}', 'x'.repeat(100_000))).toEqual({ ok: false, reason: 'bad-key' });
  });

  it.each(RECORD_KINDS)('%s nested ten thousand deep are dropped', (kind) => {
    expect(decode(kind, '['.repeat(10_000), 'x').ok).toBe(false);
    expect(decode(kind, `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'x').ok).toBe(false);
  });

  it('keys that mean something to JavaScript are plain keys', () => {
    const text = GOLDEN.nodeFull.replace('"Labels":{', '"__proto__":{"Name":"evil"},"Labels":{"__proto__":"a","constructor":"b",');
    const decoded = decode('nodes', text, 'worker-1');
    expect(decoded).toMatchObject({ ok: true });
    if (!decoded.ok) return;
    expect([...decoded.value.labels!.keys()]).toEqual(expect.arrayContaining(['__proto__', 'constructor']));
    expect(({} as Record<string, unknown>)['Name']).toBeUndefined();
  });

  it('a field of the prototype is not a field', () => {
    expect(decode('nodes', '{"__proto__":{"Name":"n","Cluster":"cluster3","ClusterID":3}}', 'n')).toEqual({
      ok: false,
      reason: 'bad-field',
    });
  });
});
