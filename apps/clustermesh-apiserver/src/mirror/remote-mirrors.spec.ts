import { CodedError, ManualClock } from '@isthmus/core';
import { KV_QUOTA, type MemoryKvServer } from '@isthmus/kvstore';
import { inTime, intercepted, keysOf, MemoryCluster, rest } from '../testing/memory-clusters.ts';
import { fill, ipEntry, KINDS, nodeEntry, put, wireGuardEntry } from '../testing/records.ts';

/** Says that every configured cluster has its mark. */
const LISTED = 'cilium/synced/east/cilium/cache/isthmus/clusters/v1';
/** Records of each remote. */
const RECORDS = 6;

describe('RemoteMirrors', () => {
  let clock: ManualClock;
  let [east, west, north]: MemoryCluster[] = [];
  beforeEach(async () => {
    clock = new ManualClock();
    [east, west, north] = [new MemoryCluster('east', 1, clock), new MemoryCluster('west', 2, clock), new MemoryCluster('north', 3, clock)];
    for (const cluster of [west, north]) await fill(cluster);
  });
  afterEach(async () => {
    for (const cluster of [east!, west!, north!]) await cluster.stop();
  });

  const cacheOf = (name: string): Record<string, string> => {
    const records = KINDS.flatMap((kind) => Object.entries(keysOf(east!.mesh, `cilium/cache/${kind}/v1/${name}/`)));
    return Object.fromEntries(records);
  };
  const canariesOf = (name: string): string[] => Object.keys(keysOf(east!.mesh, `cilium/synced/${name}/cilium/cache/`));
  const ours = (): Record<string, string> => keysOf(east!.mesh, 'cilium/cache/isthmus/');
  const mirrored = (name: string): Promise<void> => inTime(`${name} is mirrored`, clock, () => canariesOf(name).length === KINDS.length);
  /** Starts all and waits until the first mirrors the other two. */
  const meshed = async (): Promise<void> => {
    for (const peer of [west!, north!]) {
      peer.connectTo(east!);
      peer.start();
    }
    east!.connectTo(west!, north!);
    east!.start();
    await mirrored('west');
    await mirrored('north');
  };
  const change = (server: MemoryKvServer, key: string): number => server.history.at(key)!.modRevision;

  it('copies every record byte for byte, with configuration, canaries, heartbeat and the mark that it is configured', async () => {
    await meshed();
    const source = keysOf(west!.mesh, 'cilium/state/');
    expect(cacheOf('west')).toEqual({
      'cilium/cache/nodes/v1/west/n1': source['cilium/state/nodes/v1/west/n1'],
      'cilium/cache/identities/v1/west/id/131079': source['cilium/state/identities/v1/id/131079'],
      'cilium/cache/ip/v1/west/10.2.1.5': source['cilium/state/ip/v1/default/10.2.1.5'],
      'cilium/cache/isthmus/wireguard/v1/west/n1': source['cilium/state/isthmus/wireguard/v1/west/n1'],
      'cilium/cache/isthmus/wireguard-target/v1/west/target': source['cilium/state/isthmus/wireguard-target/v1/west/target'],
      'cilium/cache/services/v1/west/shop/web': source['cilium/state/services/v1/west/shop/web'],
    });
    for (const key of ['nodes', 'isthmus/wireguard']) expect(source[`cilium/state/${key}/v1/west/n1`]).toContain('"Unknown":[1, 2]');
    const config = JSON.parse(keysOf(east!.mesh)['cilium/cluster-config/west']!);
    const capabilities = { syncedCanaries: true, cached: true, maxConnectedClusters: 255, serviceExportsEnabled: true };
    expect(config).toEqual({ id: 2, capabilities, isthmus: { tunnelProtocol: 'vxlan', wireguard: true } });
    expect(canariesOf('west')).toEqual(KINDS.map((kind) => `cilium/synced/west/cilium/cache/${kind}/v1`));
    await inTime('the heartbeat is the same', clock, () => {
      return ours()['cilium/cache/isthmus/heartbeats/v1/west'] === keysOf(west!.mesh)['cilium/.heartbeat'];
    });
    expect(ours()['cilium/cache/isthmus/clusters/v1/west']).toBe('{"id":2}');
    for (const [key, leased] of [
      ['cilium/cluster-config/west', true],
      ['cilium/synced/west/cilium/cache/nodes/v1', true],
      ['cilium/cache/isthmus/clusters/v1/west', false],
      ['cilium/cache/nodes/v1/west/n1', false],
    ] as const)
      expect(east!.mesh.history.at(key)!.lease !== '0').toBe(leased);
  });

  it('says that the list of clusters is complete once it is written, and not before', async () => {
    await meshed();
    await inTime('the list is complete', clock, () => LISTED in keysOf(east!.mesh));
    const marks = east!.mesh.history.range('cilium/cache/isthmus/clusters/').map(({ modRevision }) => modRevision);
    east!.mesh.wipe();
    await inTime('the list is complete again', clock, () => LISTED in keysOf(east!.mesh));
    const again = east!.mesh.history.range('cilium/cache/isthmus/clusters/').map(({ createRevision }) => createRevision);
    expect(again).toHaveLength(marks.length);
    expect(Math.max(...again)).toBeLessThan(change(east!.mesh, LISTED));
  });

  it('follows changes and deletions', async () => {
    await meshed();
    await put(west!.cluster, ...nodeEntry(west!, 'n2'));
    await inTime('the new node is there', clock, () => 'cilium/cache/nodes/v1/west/n2' in cacheOf('west'));
    await west!.cluster.connect().delete(nodeEntry(west!, 'n1')[0]);
    await inTime('the old node is gone', clock, () => !('cilium/cache/nodes/v1/west/n1' in cacheOf('west')));
  });

  it('keeps the keys of a cluster whose apiserver goes back to one that does not know of them', async () => {
    await meshed();
    await west!.stop();
    const config = JSON.parse(keysOf(west!.mesh)['cilium/cluster-config/west']!) as { isthmus: object };
    await west!.mesh.connect().delete('cilium/synced/west/cilium/state/isthmus/wireguard/v1');
    await put(west!.mesh, 'cilium/cluster-config/west', JSON.stringify({ ...config, isthmus: { tunnelProtocol: 'vxlan' } }));
    const status = () => east!.apiserver.mirrors.statuses().find(({ name }) => name === 'west')!.remote!;
    await inTime('that is taken', clock, () => status().config?.wireguard === false && status().ready);
    expect(Object.keys(cacheOf('west'))).toHaveLength(RECORDS);
    expect(JSON.parse(keysOf(east!.mesh)['cilium/cluster-config/west']!)).toMatchObject({ isthmus: { tunnelProtocol: 'vxlan' } });
  });

  it('takes no keys of another cluster’s nodes, and says so', async () => {
    const [key] = wireGuardEntry(west!, 'n2');
    await meshed();
    await put(west!.mesh, key, wireGuardEntry(north!, 'n2')[1]);
    const dropped = () => east!.apiserver.mirrors.statuses().find(({ name }) => name === 'west')!.remote!.dropped;
    await inTime('it is dropped', clock, () => dropped().length > 0);
    expect(dropped()).toMatchObject([{ kind: 'wireguard', reason: 'foreign-cluster', count: 1, last: 'n2' }]);
    expect(Object.keys(cacheOf('west'))).toHaveLength(RECORDS);
  });

  it('removes a cluster that is not configured any more, its mark first and its records last, and nothing of others', async () => {
    await meshed();
    await east!.stop();
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    // Its mark goes slowly: nothing else may overtake it.
    const options = { meshKv: intercepted(east!.mesh.connect(), 'cilium/cache/isthmus/clusters/', () => gate) };
    const others = { ...cacheOf('north'), ...keysOf(east!.mesh, 'cilium/state/') };
    east!.start(options);
    await inTime('it is followed again', clock, () => east!.apiserver.mirrors.statuses().every(({ remote }) => remote?.ready));
    const from = east!.mesh.revision + 1;
    east!.connectTo(north!);
    await rest();
    open();
    await inTime(
      'nothing of it is left',
      clock,
      () => Object.keys({ ...cacheOf('west'), ...keysOf(east!.mesh, 'cilium/synced/west/') }).length === 0,
    );
    const gone = east!.mesh.history.since('cilium/', from).filter(({ type }) => type === 'delete');
    const order = gone.map(({ entry }) => entry.key).filter((key) => !key.includes('heartbeats'));
    expect(order[0]).toBe('cilium/cache/isthmus/clusters/v1/west');
    const leased = order.findLastIndex((key) => key.startsWith('cilium/cluster-config/') || key.startsWith('cilium/synced/'));
    const records = order.findIndex((key) => /^cilium\/cache\/(?!isthmus\/(clusters|heartbeats)\/)/.test(key));
    expect(leased).toBe(KINDS.length + 1);
    expect(records).toBe(KINDS.length + 2);
    expect(gone.filter(({ entry }) => !entry.key.includes('west'))).toEqual([]);
    await inTime('no mark and no heartbeat is left', clock, () => !JSON.stringify(ours()).includes('west'));
    expect({ ...cacheOf('north'), ...keysOf(east!.mesh, 'cilium/state/') }).toEqual(others);
  });

  it('removes what was configured before it started and is no more', async () => {
    await meshed();
    await east!.stop();
    east!.connectTo(north!);
    east!.start();
    await inTime(
      'nothing of it is left',
      clock,
      () => Object.keys(cacheOf('west')).length === 0 && !JSON.stringify(ours()).includes('west'),
    );
    await inTime(
      'its leased keys are gone',
      clock,
      () => canariesOf('west').length === 0 && !('cilium/cluster-config/west' in keysOf(east!.mesh)),
    );
    expect(Object.keys(cacheOf('north'))).toHaveLength(RECORDS);
  });

  it('leaves everything as it is when it stops', async () => {
    await meshed();
    const before = keysOf(east!.mesh, 'cilium/cache/');
    await east!.stop();
    await rest();
    expect(keysOf(east!.mesh, 'cilium/cache/')).toEqual(before);
    expect(canariesOf('west')).toHaveLength(KINDS.length);
  });

  it('sweeps after a restart what vanished meanwhile, rewrites nothing else, and waits for a remote that is away', async () => {
    await meshed();
    await put(west!.cluster, ...nodeEntry(west!, 'n2'));
    await inTime('the new node is there', clock, () => 'cilium/cache/nodes/v1/west/n2' in cacheOf('west'));
    await east!.stop();
    const untouched = change(east!.mesh, 'cilium/cache/nodes/v1/west/n1');
    await west!.cluster.connect().delete(nodeEntry(west!, 'n2')[0]);
    await inTime('west has let go', clock, () => !('cilium/state/nodes/v1/west/n2' in keysOf(west!.mesh)));
    north!.mesh.stop();
    east!.start();
    await inTime('the node is gone', clock, () => !('cilium/cache/nodes/v1/west/n2' in cacheOf('west')));
    expect(change(east!.mesh, 'cilium/cache/nodes/v1/west/n1')).toBe(untouched);
    clock.advance(60_000);
    await rest();
    expect(Object.keys(cacheOf('north'))).toHaveLength(RECORDS);
    expect(ours()['cilium/cache/isthmus/clusters/v1/north']).toBe('{"id":3}');
    north!.mesh.start();
  });

  it('keeps everything while a remote is away, wiped or without its leased keys', async () => {
    await meshed();
    west!.mesh.wipe();
    await west!.stop();
    clock.advance(1_000_000);
    await rest();
    expect(Object.keys(cacheOf('west'))).toHaveLength(RECORDS);
    expect(canariesOf('west')).toHaveLength(KINDS.length);
    expect(east!.apiserver.mirrors.statuses().find(({ name }) => name === 'west')!.remote!.state).toBe('degraded');
    west!.start();
    await inTime('it is ready again', clock, () => east!.apiserver.mirrors.statuses().every(({ remote }) => remote?.ready));
    expect(Object.keys(cacheOf('west'))).toHaveLength(RECORDS);
  });

  it('writes the mirror again after a wipe, also of a remote that is away', async () => {
    await meshed();
    const before = keysOf(east!.mesh, 'cilium/cache/');
    north!.mesh.stop();
    east!.mesh.wipe({ newCluster: true });
    await mirrored('west');
    await mirrored('north');
    await inTime('it is said that the list of clusters is complete', clock, () => LISTED in keysOf(east!.mesh));
    const [now, then] = [keysOf(east!.mesh, 'cilium/cache/'), before].map((keys) => {
      return Object.fromEntries(Object.entries(keys).filter(([key]) => !key.includes('heartbeats')));
    });
    expect(now).toEqual(then);
    north!.mesh.start();
  });

  it('takes the canaries of a restored older copy back until the records are written', async () => {
    await meshed();
    await east!.stop();
    let full = false;
    const meshKv = intercepted(east!.mesh.connect(), 'cilium/cache/nodes/', async () => {
      if (full) throw new CodedError(KV_QUOTA, 'full');
    });
    east!.start({ meshKv });
    const canary = 'cilium/synced/west/cilium/cache/nodes/v1';
    const { lease } = east!.mesh.history.at(canary)!;
    await inTime('it announces again what it has', clock, () => east!.mesh.history.at(canary)!.lease !== lease);
    const copy = east!.mesh.snapshot();
    await put(west!.cluster, ...nodeEntry(west!, 'n2'));
    await inTime('the new node is there', clock, () => 'cilium/cache/nodes/v1/west/n2' in cacheOf('west'));
    full = true;
    east!.mesh.restore(copy);
    await inTime('the canary is gone', clock, () => !(canary in keysOf(east!.mesh)));
    clock.advance(10_000);
    await rest();
    expect(canariesOf('west')).toHaveLength(KINDS.length - 1);
    full = false;
    await mirrored('west');
    const node = 'cilium/cache/nodes/v1/west/n2';
    expect(change(east!.mesh, canary)).toBeGreaterThan(change(east!.mesh, node));
  });

  it('takes a cluster with another id over, without a record of the old one', async () => {
    await meshed();
    await west!.stop();
    const reborn = new MemoryCluster('west', 9, clock);
    await put(reborn.cluster, ...nodeEntry(reborn, 'n9'));
    reborn.connectTo(east!);
    reborn.start();
    east!.connectTo(north!, reborn);
    await inTime('only the new node is there', clock, () => Object.keys(cacheOf('west')).join() === 'cilium/cache/nodes/v1/west/n9');
    await inTime('the new id is told', clock, () => ours()['cilium/cache/isthmus/clusters/v1/west'] === '{"id":9}');
    const heir = new MemoryCluster('heir', 2, clock);
    heir.connectTo(east!);
    heir.start();
    east!.connectTo(north!, reborn, heir);
    await mirrored('heir'); // the old id is free
    await reborn.stop();
    await heir.stop();
  });

  it('keeps the id of a cluster that is away for it, and lets nobody change the id that it joined with', async () => {
    for (const peer of [west!, north!]) {
      peer.connectTo(east!);
      peer.start();
    }
    north!.mesh.stop();
    await inTime('west is published', clock, () => 'cilium/cluster-config/west' in keysOf(west!.mesh));
    await put(west!.mesh, 'cilium/cluster-config/west', keysOf(west!.mesh)['cilium/cluster-config/west']!.replace('"id":2', '"id":3'));
    east!.joinWith(north!, west!);
    east!.start();
    const status = (name: string) => east!.apiserver.mirrors.statuses().find((each) => each.name === name)?.remote;
    await inTime('west is refused', clock, () => status('west')?.state === 'failed');
    expect(status('west')!.problem!.code).toBe('MESH_ID_TAKEN');
    north!.mesh.start();
    await mirrored('north');
    await put(west!.mesh, 'cilium/cluster-config/west', keysOf(west!.mesh)['cilium/cluster-config/west']!.replace('"id":3', '"id":4'));
    await inTime('west is refused for another reason', clock, () => status('west')?.problem?.code === 'MESH_ID_CHANGED');
  });

  it("tells agents by which CAs a remote's nodes are known, and connects anew for none", async () => {
    await meshed();
    const clusters = (): string | undefined => ours()['cilium/cache/isthmus/clusters/v1/west'];
    const west1 = { name: 'west', digest: 'west/2', id: 0, podCidrs: [], etcd: { endpoints: ['memory://west'] } };
    const north1 = { name: 'north', digest: 'north/3', id: 0, podCidrs: [], caBundle: '', etcd: { endpoints: ['memory://north'] } };
    const lines = east!.lines.length;
    for (const caBundle of ['one', 'one, two']) {
      east!.configs.set({ ...west1, caBundle }, north1);
      await inTime('the CAs are told', clock, () => clusters() === JSON.stringify({ id: 2, caBundle }));
    }
    expect(east!.lines.slice(lines)).toEqual([]);
  });

  it('takes no address of others, and says whose it is', async () => {
    await put(west!.cluster, ...ipEntry(west!, '10.1.0.9', 7, 'shop'));
    await put(west!.cluster, ...ipEntry(west!, '10.3.1.5', 7, 'shop'));
    for (const peer of [west!, north!]) {
      peer.connectTo(east!);
      peer.start();
    }
    east!.joinWith(west!, north!);
    east!.start();
    await mirrored('west');
    expect(Object.keys(cacheOf('west'))).toHaveLength(RECORDS);
    const { dropped } = east!.apiserver.mirrors.statuses().find(({ name }) => name === 'west')!.remote!;
    expect(dropped).toMatchObject([{ kind: 'ips', reason: 'foreign-network', count: 2, last: '10.3.1.5' }]);
    expect(dropped[0]!.detail).toBe('10.3.1.5: it overlaps 10.3.0.0/16 of north');
  });

  it('does not connect two clusters of one id', async () => {
    await meshed();
    const twin = new MemoryCluster('twin', 2, clock);
    twin.connectTo(east!);
    twin.start();
    east!.connectTo(west!, north!, twin);
    const status = () => east!.apiserver.mirrors.statuses().find(({ name }) => name === 'twin');
    await inTime('it is refused', clock, () => status()?.remote?.state === 'failed');
    expect(status()!.remote!.problem!.code).toBe('MESH_ID_TAKEN');
    expect(canariesOf('twin')).toEqual([]);
    expect(Object.keys(cacheOf('west'))).toHaveLength(RECORDS);
    await twin.stop();
  });
});
