import { ManualClock } from '@isthmus/core';
import type { KvStore } from '@isthmus/kvstore';
import { ENDPOINT_SLICE, NAMESPACE, type ResourceStore, SERVICE_EXPORT } from '@isthmus/model';
import { eventually, inTime, intercepted, keysOf, MemoryCluster, rest } from '../testing/memory-clusters.ts';
import {
  applyService,
  fill,
  identityEntry,
  ipEntry,
  KINDS,
  nodeEntry,
  put,
  wireGuardEntry,
  wireGuardTargetEntry,
} from '../testing/records.ts';

const CANARIES = KINDS.map((each) => `cilium/synced/east/cilium/state/${each}/v1`);
const CONFIG = 'cilium/cluster-config/east';

/** Lets nobody pass while it is closed. It is open at first. */
function gate(): { close(): void; open(): void; passed(): Promise<void> } {
  let open = (): void => undefined;
  let passed = Promise.resolve();
  const close = (): void => {
    passed = new Promise((resolve) => (open = resolve));
  };
  return { close, open: () => open(), passed: () => passed };
}

describe('Exporter', () => {
  let clock: ManualClock;
  let east: MemoryCluster;
  beforeEach(() => {
    clock = new ManualClock();
    east = new MemoryCluster('east', 1, clock);
  });
  afterEach(() => east.stop());

  const canaries = (): string[] => Object.keys(keysOf(east.mesh, 'cilium/synced/east/cilium/state/'));
  const announced = (): Promise<void> => inTime('all canaries stand', clock, () => canaries().length === CANARIES.length);
  const state = (): Record<string, string> => keysOf(east.mesh, 'cilium/state/');

  /** Resources of which one kind is not listed before the gate opens. */
  const gated = (plural: string): { resources: ResourceStore; open(): void } => {
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const resources: ResourceStore = Object.create(east.resources);
    resources.watch = async (kind, watcher, signal) => {
      if (kind.plural === plural) await gate;
      await east.resources.watch(kind, watcher, signal);
    };
    return { resources, open };
  };

  it('publishes an empty cluster: configuration, heartbeat, and a canary for every kind', async () => {
    east.start();
    await announced();
    expect(canaries()).toEqual(CANARIES);
    const capabilities = { syncedCanaries: true, maxConnectedClusters: 255, serviceExportsEnabled: true };
    expect(JSON.parse(keysOf(east.mesh)[CONFIG]!)).toEqual({ id: 1, capabilities, isthmus: { tunnelProtocol: 'vxlan', wireguard: true } });
    expect(keysOf(east.mesh)['cilium/.heartbeat']).toMatch(/^2026-01-01T00:0\d:\d\dZ$/);
    expect(state()).toEqual({});
    for (const key of [CONFIG, 'cilium/.heartbeat', ...CANARIES]) expect(east.mesh.history.at(key)!.lease).not.toBe('0');
    expect(east.apiserver.missing()).toEqual([]);
  });

  it('passes records on byte for byte and computes services, none of them leased', async () => {
    const records = await fill(east);
    const exported = { apiVersion: 'multicluster.x-k8s.io/v1alpha1', kind: 'ServiceExport', metadata: { name: 'web', namespace: 'shop' } };
    await east.resources.apply(SERVICE_EXPORT, exported);
    east.start();
    await announced();
    const all = state();
    for (const [key, value] of records) expect(all[key]).toBe(value);
    expect(JSON.parse(all['cilium/state/services/v1/east/shop/web']!)).toMatchObject({
      clusterID: 1,
      backends: { '10.1.1.5': { http: { Protocol: 'TCP', Port: 8080 } } },
    });
    expect(JSON.parse(all['cilium/state/serviceexports/v1/east/shop/web']!)).toMatchObject({ type: 'ClusterSetIP' });
    for (const { lease } of east.mesh.history.range('cilium/state/')) expect(lease).toBe('0');
  });

  it('drops what a peer would not take, and goes on', async () => {
    const west = new MemoryCluster('west', 2, clock);
    const [, foreign] = identityEntry(west, 9, 'shop');
    await put(east.cluster, `cilium/state/identities/v1/id/${65_536 + 9}`, foreign);
    await put(east.cluster, 'cilium/state/nodes/v1/east/n1', 'no json');
    await put(east.cluster, wireGuardEntry(east, 'n1')[0], wireGuardEntry(east, 'n2')[1]);
    await put(east.cluster, ...wireGuardTargetEntry(east, 0));
    east.start();
    await announced();
    expect(state()).toEqual({});
    expect(east.apiserver.exporter.drops.list()).toHaveLength(4);
  });

  it('gives no canary and removes nothing before the cluster etcd was listed', async () => {
    const [key, value] = nodeEntry(east, 'n1');
    await put(east.mesh, key, value);
    east.cluster.stop();
    east.start();
    await inTime('the heart beats', clock, () => 'cilium/.heartbeat' in keysOf(east.mesh));
    clock.advance(30_000);
    await rest();
    expect(canaries()).toEqual([]);
    expect(state()).toEqual({ [key]: value });
    expect(east.apiserver.missing()).toContain('export of nodes');
    east.cluster.start();
    await announced();
    expect(state()).toEqual({});
  });

  it('says while its mesh etcd takes nothing that it does not, and why', async () => {
    east.start();
    await announced();
    expect(east.apiserver.problems()).toEqual([]);
    east.mesh.fillUp();
    await put(east.cluster, ...nodeEntry(east, 'n1'));
    await inTime('it says so', clock, () => east.apiserver.problems().some(({ code }) => code === 'KV_QUOTA'));
    expect(east.apiserver.missing().join()).toContain('mesh etcd (');
    await east.mesh.clearAlarms();
    await inTime('it is over', clock, () => east.apiserver.missing().length === 0);
    expect(Object.keys(state())).toHaveLength(1);
  });

  it('follows what nodes say of their keys, and what the cluster wants', async () => {
    east.start();
    await announced();
    const [[key], [target]] = [wireGuardEntry(east, 'n1'), wireGuardTargetEntry(east, 7)];
    await put(east.cluster, ...wireGuardEntry(east, 'n1', 7));
    await put(east.cluster, ...wireGuardTargetEntry(east, 8));
    await eventually('both are out', () => key in state() && target in state());
    await put(east.cluster, ...wireGuardEntry(east, 'n1', 8));
    await eventually('the new key is out', () => state()[key] === wireGuardEntry(east, 'n1', 8)[1]);
    await east.cluster.connect().delete(key);
    await eventually('the node has left', () => !(key in state()));
    expect(state()).toEqual(Object.fromEntries([wireGuardTargetEntry(east, 8)]));
  });

  it('withdraws a namespace that is not global, with everything in it', async () => {
    const [n1, id, ip] = [nodeEntry(east, 'n1'), identityEntry(east, 7, 'shop'), ipEntry(east, '10.1.1.5', 7, 'shop')];
    for (const [key, value] of [n1, id, ip]) await put(east.cluster, key, value);
    await applyService(east.resources, 'shop', 'web', '10.1.1.5');
    east.start();
    await announced();
    expect(Object.keys(state())).toHaveLength(4);
    const shop = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', annotations: {} } };
    await east.resources.apply(NAMESPACE, {
      ...shop,
      metadata: { ...shop.metadata, annotations: { 'clustermesh.cilium.io/global': 'false' } },
    });
    await eventually('only the node is left', () => Object.keys(state()).join() === n1[0]);
    await east.resources.apply(NAMESPACE, shop);
    await eventually('all is back', () => Object.keys(state()).length === 4);
  });

  it('never shows a namespace that is not global, not even at the start', async () => {
    const [key, value] = ipEntry(east, '10.1.1.5', 7, 'shop');
    await put(east.cluster, key, value);
    const metadata = { name: 'shop', annotations: { 'clustermesh.cilium.io/global': 'false' } };
    await east.resources.apply(NAMESPACE, { apiVersion: 'v1', kind: 'Namespace', metadata });
    const { resources, open } = gated(NAMESPACE.plural);
    east.start({ resources });
    await inTime('the heart beats', clock, () => 'cilium/.heartbeat' in keysOf(east.mesh));
    await rest();
    open();
    await announced();
    expect(east.mesh.history.since('cilium/state/', 1)).toEqual([]);
  });

  it('never writes a service that has lost its backends because slices are listed later, at a restart', async () => {
    await applyService(east.resources, 'shop', 'web', '10.1.1.5');
    east.start();
    await announced();
    await east.stop();
    const { revision } = east.mesh;
    const { resources, open } = gated(ENDPOINT_SLICE.plural);
    east.start({ resources });
    await inTime('the rest is exported', clock, () => east.apiserver.missing().length === 1);
    await rest();
    open();
    await inTime('services are exported', clock, () => east.apiserver.missing().length === 0);
    expect(east.mesh.history.since('cilium/state/services/', revision + 1)).toEqual([]);
  });

  it('writes leased keys again under a new lease when theirs is lost, and no record', async () => {
    const [key, value] = nodeEntry(east, 'n1');
    await put(east.cluster, key, value);
    east.start();
    await announced();
    const { lease } = east.mesh.history.at(CONFIG)!;
    const { modRevision } = east.mesh.history.at(key)!;
    east.mesh.leases.expire(lease);
    expect(canaries()).toEqual([]);
    await announced();
    await inTime('the configuration is back', clock, () => CONFIG in keysOf(east.mesh));
    expect(east.mesh.history.at(CONFIG)!.lease).not.toBe(lease);
    expect(east.mesh.history.at(key)!.modRevision).toBe(modRevision);
  });

  it('defends its configuration against other writers', async () => {
    east.start();
    await announced();
    const config = keysOf(east.mesh)[CONFIG];
    await put(east.mesh, CONFIG, '{"id":99}');
    await inTime('it is as it was', clock, () => keysOf(east.mesh)[CONFIG] === config);
    await east.mesh.connect().delete(CONFIG);
    await inTime('it is there again', clock, () => keysOf(east.mesh)[CONFIG] === config);
  });

  it.each([true, false])(
    'writes everything again after a wipe (another cluster id: %s), users included, canaries last',
    async (newCluster) => {
      const [key, value] = nodeEntry(east, 'n1');
      await put(east.cluster, key, value);
      east.start();
      await announced();
      east.mesh.wipe({ newCluster });
      await announced();
      await inTime('the heart beats', clock, () => 'cilium/.heartbeat' in keysOf(east.mesh));
      expect(state()).toEqual({ [key]: value });
      const nodes = 'cilium/synced/east/cilium/state/nodes/v1';
      expect(east.mesh.history.at(nodes)!.modRevision).toBeGreaterThan(east.mesh.history.at(key)!.modRevision);
      expect(east.mesh.auth.enabled).toBe(true);
    },
  );

  it('announces nothing in a wiped etcd before the records are there, where the loss of the lease is noticed first', async () => {
    const [key, value] = nodeEntry(east, 'n1');
    await put(east.cluster, key, value);
    const early: string[] = [];
    const meshKv = intercepted(east.mesh.connect({ user: 'admin-east' }), 'cilium/synced/', async ({ success }) => {
      const marks = success.filter(({ type }) => type === 'put');
      if (marks.length > 0 && !(key in state())) early.push(...marks.map((mark) => JSON.stringify(mark)));
    });
    const watches = gate(); // a watch is slow to come back, so that a heartbeat meets the lost lease before
    const slow: KvStore = Object.create(meshKv);
    slow.watch = async function* (...args) {
      await watches.passed();
      yield* meshKv.watch(...args);
    };
    east.start({ meshKv: slow, heartbeatMs: 1_000 });
    await announced();
    watches.close();
    east.mesh.wipe();
    await inTime('the heart beats', clock, () => 'cilium/.heartbeat' in keysOf(east.mesh));
    await rest();
    watches.open();
    await announced();
    expect(early).toEqual([]);
  });

  it('brings a restored older copy up to date, and takes its canaries back meanwhile', async () => {
    const [first, second] = [nodeEntry(east, 'n1'), nodeEntry(east, 'n2')];
    await put(east.cluster, ...first);
    east.start();
    await announced();
    const copy = east.mesh.snapshot();
    await put(east.cluster, ...second);
    await east.cluster.connect().delete(first[0]);
    await eventually('the second node is out', () => Object.keys(state()).join() === second[0]);
    const before = east.mesh.revision;
    east.mesh.restore(copy);
    await inTime('only the second node is there', clock, () => Object.keys(state()).join() === second[0]);
    await announced();
    const canary = east.mesh.history.at('cilium/synced/east/cilium/state/nodes/v1')!;
    expect(canary.createRevision).toBeGreaterThan(copy.revision);
    expect(before).toBeGreaterThan(copy.revision);
  });

  it('leaves everything as it is when it stops, and reconciles when it starts again', async () => {
    const [first, second] = [nodeEntry(east, 'n1'), nodeEntry(east, 'n2')];
    await put(east.cluster, ...first);
    await put(east.cluster, ...second);
    east.start();
    await announced();
    await east.stop();
    await rest();
    expect(Object.keys(state())).toHaveLength(2);
    expect(canaries()).toEqual(CANARIES);
    await east.cluster.connect().delete(first[0]);
    const untouched = east.mesh.history.at(second[0])!.modRevision;
    east.start();
    await inTime('the first node is gone', clock, () => Object.keys(state()).join() === second[0]);
    expect(east.mesh.history.at(second[0])!.modRevision).toBe(untouched);
  });
});
