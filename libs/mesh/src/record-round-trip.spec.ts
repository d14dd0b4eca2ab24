import fc from 'fast-check';
import { compareBytes } from './go-json.ts';
import { decodeRecord, encodeRecord, type RecordRows } from './record.codec.ts';
import type { RecordKind } from './record-kind.ts';

const utf8 = new TextEncoder();
const cluster = 'cluster3';
const clusterId = 3;

const text = fc.string({ unit: 'grapheme', maxLength: 12 });
const word = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);
const ip4 = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.0.${a}.${b}`);
const ip6 = fc.integer({ min: 1, max: 0xffff }).map((n) => `fd00::${n.toString(16)}`);
const ip = fc.oneof(ip4, ip6);
const maybeIp = (address: fc.Arbitrary<string>) => fc.oneof(fc.constant(''), address);
const cidr4 = fc.tuple(fc.nat(255), fc.nat(255)).map(([a, b]) => `10.${a}.${b}.0/24`);
const cidr6 = fc.integer({ min: 1, max: 0xffff }).map((n) => `fd00:${n.toString(16)}::/64`);
const stringMap = fc.uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 4 }).map((entries) => new Map(entries));
const maybeMap = fc.oneof(fc.constant(null), stringMap);
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.oneof(fc.constant(null), fc.array(arbitrary, { maxLength: 3 }));
const port = fc.nat(65535);
const protocol = fc.constantFrom('TCP', 'UDP', 'SCTP');
const addresses = fc
  .uniqueArray(
    fc.record({
      ip,
      ports: fc
        .uniqueArray(fc.record({ name: text, protocol, port }), { selector: (row) => row.name, maxLength: 3 })
        .map((rows) => rows.sort((a, b) => compareBytes(a.name, b.name))),
    }),
    { selector: (row) => row.ip, maxLength: 4 },
  )
  .map((rows) => rows.sort((a, b) => compareBytes(a.ip, b.ip)));
const time = fc.integer({ min: 0, max: 4102444800 }).map((s) => `${new Date(s * 1000).toISOString().slice(0, 19)}Z`);
const wireGuardKey = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
  bytes[0] = bytes[0]! | 1; // never all zeros
  return Buffer.from(bytes).toString('base64');
});
const kemKeyHash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64'));
const kemKeys = fc.tuple(fc.option(kemKeyHash, { nil: undefined }), fc.option(kemKeyHash, { nil: undefined }));
const epochs = fc
  .tuple(
    fc.integer({ min: 1, max: 2 ** 31 }),
    fc.integer({ min: 0, max: 2 ** 30 }),
    fc.uniqueArray(wireGuardKey, { maxLength: 2 }),
    kemKeys,
  )
  .map(([first, gap, keys, kems]) =>
    keys.map((publicKey, i) => {
      const epoch = first + i * (2 * gap + 1);
      const kem = kems[i] === undefined ? {} : { kemKeyHash: kems[i] };
      return { epoch, publicKey, port: epoch % 2 === 0 ? 51_871 : 51_872, ...kem };
    }),
  );
const someNodes = fc
  .array(fc.tuple(fc.stringMatching(/^[a-z][a-z0-9]{0,10}$/), word), { maxLength: 16 })
  .map((all) => all.map((parts) => parts.join('/')).sort(compareBytes));
const labelText = fc.stringMatching(/^[a-z0-9./-]{1,10}$/);

const arbitraries: { [K in RecordKind]: fc.Arbitrary<RecordRows[K]> } = {
  nodes: fc.record({
    cluster: fc.constant(cluster),
    name: word,
    clusterId: fc.constant(clusterId),
    addresses: orNull(fc.record({ type: word, ip })),
    ipv4Cidr: maybeIp(cidr4),
    ipv4SecondaryCidrs: orNull(cidr4),
    ipv6Cidr: maybeIp(cidr6),
    ipv6SecondaryCidrs: orNull(cidr6),
    ipv4HealthIp: maybeIp(ip4),
    ipv6HealthIp: maybeIp(ip6),
    ipv4IngressIp: maybeIp(ip4),
    ipv6IngressIp: maybeIp(ip6),
    source: word,
    encryptionKey: fc.nat(255),
    labels: maybeMap,
    annotations: maybeMap,
    wireguardPubKey: text,
    bootId: text,
  }),
  identities: fc.record({
    id: fc.integer({ min: 196608, max: 262143 }),
    labels: fc
      .uniqueArray(fc.tuple(labelText, labelText), { selector: ([key]) => key, maxLength: 4 })
      .map((entries) => [...entries, ['io.cilium.k8s.policy.cluster', cluster] as const])
      .map((entries) => entries.sort((a, b) => compareBytes(a[0], b[0])).map(([key, value]) => `k8s:${key}=${value}`)),
  }),
  ips: fc.record({
    ip: fc.oneof(ip, cidr4, cidr6),
    hostIp: maybeIp(ip),
    identity: fc.oneof(fc.integer({ min: 2, max: 255 }), fc.integer({ min: 196608, max: 262143 })),
    encryptionKey: fc.nat(255),
    namespace: text,
    podName: text,
    podUid: text,
    serviceAccount: text,
    namedPorts: fc.array(fc.record({ name: text, port, protocol }), { maxLength: 2 }),
  }),
  services: fc.record({
    cluster: fc.constant(cluster),
    namespace: word,
    name: word,
    clusterId: fc.constant(clusterId),
    frontends: addresses,
    backends: addresses,
    hostnames: fc.uniqueArray(fc.tuple(ip, text), { selector: ([key]) => key, maxLength: 3 }).map((entries) => new Map(entries)),
    zones: fc
      .uniqueArray(fc.tuple(ip, fc.record({ zone: text, forZones: orNull(text) })), { selector: ([key]) => key, maxLength: 3 })
      .map((entries) => new Map(entries)),
    labels: maybeMap,
    selector: maybeMap,
    includeExternal: fc.boolean(),
    shared: fc.boolean(),
  }),
  serviceexports: fc.record({
    cluster: fc.constant(cluster),
    namespace: word,
    name: word,
    annotations: maybeMap.map((map) => (map?.size ? map : null)),
    labels: maybeMap.map((map) => (map?.size ? map : null)),
    exportCreationTimestamp: time,
    ports: orNull(fc.record({ name: text, protocol, appProtocol: fc.oneof(fc.constant(undefined), text), port })),
    type: fc.constantFrom('ClusterSetIP', 'Headless'),
    sessionAffinity: fc.constantFrom('None', 'ClientIP'),
    sessionAffinityTimeout: fc.oneof(fc.constant(undefined), fc.nat(86400)),
    ipFamilies: fc.array(fc.constantFrom('IPv4', 'IPv6'), { maxLength: 2 }),
    internalTrafficPolicy: fc.constantFrom(undefined, 'Cluster', 'Local'),
    trafficDistribution: fc.constantFrom(undefined, 'PreferClose', 'PreferSameZone', 'PreferSameNode'),
  }),
  wireguard: fc
    .record({
      cluster: fc.constant(cluster),
      clusterId: fc.constant(clusterId),
      name: word,
      epochs,
      minTx: fc.nat(0xffff_ffff),
      laggards: someNodes,
    })
    .chain((row) =>
      fc
        .tuple(
          someNodes,
          fc.option(fc.record({ epoch: fc.integer({ min: 1, max: 0xffff_ffff }), cluster: fc.constantFrom('a', 'east-2') })),
        )
        .map(([blockedBy, wanted]) => ({ ...row, ...(blockedBy.length > 0 && { blockedBy }), ...(wanted && { wanted }) })),
    ),
  wireguardtargets: fc.record({
    cluster: fc.constant(cluster),
    clusterId: fc.constant(clusterId),
    target: fc.integer({ min: 1, max: 0xffff_ffff }),
    startedAt: time,
    by: text,
    reason: text,
  }),
};

const nameOf: { [K in RecordKind]: (row: RecordRows[K]) => string } = {
  nodes: (row) => row.name,
  identities: (row) => String(row.id),
  ips: (row) => row.ip,
  services: (row) => `${row.namespace}/${row.name}`,
  serviceexports: (row) => `${row.namespace}/${row.name}`,
  wireguard: (row) => row.name,
  wireguardtargets: () => 'target',
};

function roundTrips<K extends RecordKind>(kind: K): void {
  fc.assert(
    fc.property(arbitraries[kind], (row) => {
      const encoded = encodeRecord(kind, row);
      const context = { cluster, clusterId, maxConnectedClusters: 255 as const, name: nameOf[kind](row) };
      const decoded = decodeRecord(kind, utf8.encode(encoded), context);
      expect(decoded).toEqual({ ok: true, value: row });
      if (decoded.ok) expect(encodeRecord(kind, decoded.value)).toBe(encoded);
    }),
    { numRuns: 300 },
  );
}

it('reads back every node it writes', () => roundTrips('nodes'));
it('reads back every identity it writes', () => roundTrips('identities'));
it('reads back every ip record it writes', () => roundTrips('ips'));
it('reads back every service it writes', () => roundTrips('services'));
it('reads back every service export it writes', () => roundTrips('serviceexports'));
it("reads back every record of a node's keys that it writes", () => roundTrips('wireguard'));
it('reads back every target that it writes', () => roundTrips('wireguardtargets'));
