import { ManualClock, Store, type TableWriter } from '@isthmus/core';
import type { BackendRow, BackendSetRow, ServicePortRow, ServiceRow } from '@isthmus/model';
import fc from 'fast-check';
import { declareServiceTables } from './service-tables.ts';

/** What the tables should hold, computed from all inputs at once and with no regard to speed. */
interface Expected {
  frontends: Map<string, { backends: string[]; clusters: number[]; idle: string[] }>;
  backends: Map<string, number>;
}

const keyOf = (protocol: string, ip: string, port: number) => `${protocol}/${ip.includes(':') ? `[${ip}]` : ip}:${port}`;

function portOf(port: ServicePortRow, service: ServiceRow, backend: BackendRow): ServicePortRow | undefined {
  const ofProtocol = backend.ports.filter((each) => each.protocol === port.protocol);
  const same = ofProtocol.find((each) => each.name === port.name);
  if (same) return same;
  const lone = ofProtocol.length === 1 && service.ports.filter((each) => each.protocol === port.protocol).length === 1;
  return lone && (port.name === '' || ofProtocol[0]!.name === '') ? ofProtocol[0] : undefined;
}

function pool(
  service: ServiceRow,
  vip: string,
  port: ServicePortRow,
  sets: BackendSetRow[],
  of: (set: BackendSetRow) => readonly BackendRow[],
) {
  const found = new Map<string, number>();
  const mine = sets.filter((set) => set.namespace === service.namespace && set.name === service.name);
  for (const set of mine.sort((a, b) => b.clusterId - a.clusterId))
    for (const backend of of(set)) {
      const target = portOf(port, service, backend);
      if (target && backend.ip.includes(':') === vip.includes(':'))
        found.set(keyOf(target.protocol, backend.ip, target.port), set.clusterId);
    }
  return found;
}

function select(service: ServiceRow, local: Map<string, number>, remote: Map<string, number>, terminating: Map<string, number>) {
  let chosen = new Map([...remote, ...local]);
  if (service.affinity === 'local' && local.size > 0) chosen = local;
  if (service.affinity === 'remote' && remote.size > 0) chosen = remote;
  return chosen.size > 0 ? chosen : terminating;
}

function oracle(services: Map<string, ServiceRow>, local: BackendSetRow[], remote: BackendSetRow[]): Expected {
  const expected: Expected = { frontends: new Map(), backends: new Map() };
  for (const [, service] of [...services].sort(([a], [b]) => (a < b ? 1 : -1)))
    for (const vip of [...service.clusterIps, ...service.exposure.externalIps, ...service.exposure.loadBalancerIps])
      for (const port of service.ports) {
        const mine = pool(service, vip, port, local, (set) => set.backends);
        const theirs = service.global ? pool(service, vip, port, remote, (set) => set.backends) : new Map<string, number>();
        const going = pool(service, vip, port, local, (set) => set.terminating ?? []);
        const chosen = select(service, mine, theirs, going);
        const backends = [...chosen.keys()].sort();
        const idle = [...new Set([...mine.keys(), ...theirs.keys(), ...going.keys()])].filter((key) => !chosen.has(key)).sort();
        expected.frontends.set(keyOf(port.protocol, vip, port.port), { backends, clusters: backends.map((key) => chosen.get(key)!), idle });
      }
  for (const { backends, clusters } of expected.frontends.values())
    for (const [i, key] of backends.entries()) expected.backends.set(key, Math.min(clusters[i]!, expected.backends.get(key) ?? 999));
  return expected;
}

/** Few values, the common ones often: what matters are collisions and ports that match. */
const port = fc.record({
  name: fc.constantFrom('http', 'http', '', 'dns'),
  protocol: fc.constantFrom('TCP' as const, 'TCP' as const, 'UDP' as const),
  port: fc.constantFrom(80, 80, 81),
});
const servicePorts = fc.uniqueArray(port, { minLength: 1, maxLength: 2, selector: (each) => `${each.protocol}/${each.port}` });
const backendPorts = fc.uniqueArray(port, { minLength: 1, maxLength: 2, selector: (each) => `${each.protocol}/${each.name}` });
const name = fc.constantFrom('a', 'a', 'b');
const gone = fc.constantFrom(false, false, false, true);
const service = fc.record({
  namespace: fc.constant('ns'),
  name,
  clusterIps: fc.uniqueArray(fc.constantFrom('10.96.0.1', '10.96.0.2', 'fd00::1'), { minLength: 1, maxLength: 3 }),
  exposure: fc.record({
    labels: fc.constant({}),
    loadBalancerIps: fc.subarray(['10.96.0.2', '192.0.2.1']),
    externalIps: fc.subarray(['192.0.2.2']),
    externalLocal: fc.boolean(),
    internalLocal: fc.constant(false),
  }),
  ports: servicePorts,
  global: fc.constantFrom(true, true, false),
  shared: fc.boolean(),
  affinity: fc.constantFrom('none' as const, 'local' as const, 'remote' as const),
});
const backends = fc.array(fc.record({ ip: fc.constantFrom('10.1.0.1', '10.1.0.2', 'fd00:1::1'), ports: backendPorts }), {
  maxLength: 3,
});
const slice = fc.record({
  cluster: fc.constant('east'),
  clusterId: fc.constant(2),
  namespace: fc.constant('ns'),
  name,
  backends,
  terminating: backends,
});
const remoteSet = fc.record({ clusterId: fc.constantFrom(1, 3), name, backends });
const step = fc.oneof(
  fc.record({ kind: fc.constant('service' as const), row: service, gone }),
  fc.record({ kind: fc.constant('slice' as const), key: fc.constantFrom('s1', 's2', 's3'), row: slice, gone }),
  fc.record({ kind: fc.constant('remote' as const), row: remoteSet, gone }),
);

function write<V>(table: TableWriter<V>, key: string, row: V, gone: boolean): void {
  if (gone) table.delete(key);
  else table.put(key, row);
}

describe('service tables', () => {
  it('are what a computation from all inputs says, after every commit (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), (commits) => {
        const store = new Store(new ManualClock());
        const services = store.table<ServiceRow>('services');
        const local = store.table<BackendSetRow>('local');
        const remote = store.table<BackendSetRow>('remote');
        const tables = declareServiceTables(store, { services: services.table, localBackends: local.table, remoteBackends: remote.table });
        const apply = (each: (typeof commits)[number][number]): void => {
          const key = `ns/${each.row.name}`;
          if (each.kind === 'service') write(services, key, each.row, each.gone);
          else if (each.kind === 'slice') write(local, each.key, each.row, each.gone);
          else {
            const cluster = `c${each.row.clusterId}`;
            write(remote, `${cluster}/${key}`, { ...each.row, cluster, namespace: 'ns' }, each.gone);
          }
        };
        for (const commit of commits) {
          store.transact(() => commit.forEach(apply));
          const rowsOf = (table: typeof local.table) => [...table.rows()].map(([, row]) => row);
          const expected = oracle(new Map(services.table.rows()), rowsOf(local.table), rowsOf(remote.table));
          const frontends = [...tables.frontends.rows()].map(
            ([key, row]) => [key, { backends: row.backends, clusters: row.backendClusters, idle: row.idle }] as const,
          );
          expect(new Map(frontends)).toEqual(expected.frontends);
          expect(new Map([...tables.backends.rows()].map(([key, row]) => [key, row.clusterId]))).toEqual(expected.backends);
          expect(new Set([...tables.revnats.rows()].map(([key]) => key))).toEqual(new Set(expected.frontends.keys()));
        }
      }),
      { numRuns: 300 },
    );
  });
});
