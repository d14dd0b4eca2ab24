import { ManualClock, seededRandom } from '@isthmus/core';
import { KvResources, MemoryKvServer } from '@isthmus/kvstore';
import { encodeWireGuard, encodeWireGuardTarget, identityKey, ipKey, nodeKey, wireGuardKey, wireGuardTargetKey } from '@isthmus/mesh';
import {
  ENDPOINT_SLICE,
  type EndpointRow,
  type EndpointSlice,
  NAMESPACE,
  type Namespace,
  POD,
  type Pod,
  SERVICE,
  type Service,
} from '@isthmus/model';
import { ipRecord } from '../publish/ip-record-fixture.ts';
import { ownTables } from '../tables/own-node-fixture.ts';
import { runClusterSource } from './cluster-source.ts';
import { PodLabelSource } from './pod-label-source.ts';
import { runResourceSource } from './resource-source.ts';

const owner = { cluster: 'east', clusterId: 1 };

/** The cluster's etcd in memory, and an agent's tables. */
function fixture() {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock });
  const kv = server.connect();
  let uid = 0;
  const resources = new KvResources({ kv, clock, random: seededRandom(1), newUid: () => `u${++uid}` });
  const tables = ownTables(clock);
  const stop = new AbortController();
  const complaints: string[] = [];
  const settle = async (ms = 0): Promise<void> => {
    for (let i = 0; i < 40; i++) {
      clock.advance(ms / 40);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { clock, server, kv, resources, tables, stop, complaints, settle };
}

const record = (ip: string, identity = 65_800) => ipRecord(ip, identity);

describe('runClusterSource', () => {
  function follow() {
    const made = fixture();
    const { kv, clock, tables, stop, complaints } = made;
    const running = runClusterSource(
      {
        kv,
        store: tables.store,
        owner,
        maxConnectedClusters: 255,
        clock,
        random: seededRandom(2),
        onDropped: (kind, name, reason) => complaints.push(`${kind} ${name} ${reason}`),
        onDisconnected: () => undefined,
        onRelist: (reason) => complaints.push(`relist ${reason}`),
      },
      tables.sources,
      stop.signal,
    );
    return { ...made, running };
  }

  it('mirrors records into tables, and says when they are complete', async () => {
    const { kv, tables, settle, stop, running } = follow();
    const { localIps, localIdentities, localNodes } = tables.sources;
    expect(localIps.table.scopes.isSynced('local')).toBe(false);
    await kv.put(ipKey('10.1.0.5'), record('10.1.0.5'));
    await kv.put(identityKey(65_800), 'k8s:app=web;k8s:io.cilium.k8s.policy.cluster=east;');
    await settle();
    expect(localIps.table.get('east/10.1.0.5')).toMatchObject({ cluster: 'east', clusterId: 1, hostIp: '172.30.1.1', identity: 65_800 });
    expect(localIdentities.table.get('65800')?.labels).toBe('k8s:app=web;k8s:io.cilium.k8s.policy.cluster=east;');
    for (const { table } of [localIps, localIdentities, localNodes]) expect(table.scopes.isSynced('local')).toBe(true);
    await kv.delete(ipKey('10.1.0.5'));
    await settle();
    expect(localIps.table.size).toBe(0);
    stop.abort();
    await running;
  });

  it('mirrors keys of nodes, and the target', async () => {
    const { kv, tables, settle, stop, running, complaints } = follow();
    const { localWireGuard, localWireGuardTargets } = tables.sources;
    const epochs = [{ epoch: 7, publicKey: Buffer.alloc(32, 7).toString('base64'), port: 51_872 }];
    const keys = { ...owner, name: 'n1', epochs, minTx: 7, laggards: ['west/n2'] };
    const target = { ...owner, target: 8, startedAt: '2026-01-01T00:00:00Z', by: 'admin', reason: 'a laptop was lost' };
    await kv.put(wireGuardKey('east', 'n1'), encodeWireGuard(keys));
    await kv.put(wireGuardKey('east', 'n2'), encodeWireGuard(keys));
    await kv.put(wireGuardTargetKey('east'), encodeWireGuardTarget(target));
    await settle();
    expect([...localWireGuard.table.rows()]).toEqual([['east/n1', keys]]);
    expect([...localWireGuardTargets.table.rows()]).toEqual([['east', target]]);
    expect(complaints).toEqual(['wireguard n2 key-mismatch']);
    for (const { table } of [localWireGuard, localWireGuardTargets]) expect(table.scopes.isSynced('local')).toBe(true);
    stop.abort();
    await running;
  });

  it('drops what is no record, also where one was', async () => {
    const { kv, tables, settle, stop, running, complaints } = follow();
    await kv.put(ipKey('10.1.0.5'), record('10.1.0.5'));
    await kv.put(ipKey('10.1.0.6'), record('10.1.0.6', 131_100));
    await kv.put(ipKey('10.1.0.7'), record('10.1.0.9'));
    await settle();
    await kv.put(ipKey('10.1.0.5'), 'garbage');
    await settle();
    expect(tables.sources.localIps.table.size).toBe(0);
    expect(complaints.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(['ips 10.1.0.6', 'ips 10.1.0.7', 'ips 10.1.0.5']);
    stop.abort();
    await running;
  });

  it('tells of an etcd that may not hold what was written, and not of one that was away', async () => {
    const { kv, server, settle, stop, running, complaints } = follow();
    await kv.put(nodeKey('east', 'n1'), '{"Name":"n1","Cluster":"east","ClusterID":1}');
    await kv.put(ipKey('10.1.0.5'), record('10.1.0.5'));
    await kv.put(identityKey(65_800), 'k8s:app=web;k8s:io.cilium.k8s.policy.cluster=east;');
    await settle();
    const before = server.snapshot();
    server.disconnect();
    await settle(60_000);
    expect(complaints).toEqual([]);
    await kv.put(ipKey('10.1.0.6'), record('10.1.0.6'));
    await settle();
    server.restore(before);
    await settle(60_000);
    // Nothing else under the other prefixes has changed since the copy was made.
    expect(complaints).toEqual(['relist went-back']);
    stop.abort();
    await running;
  });

  it('changes nothing while the etcd is away', async () => {
    const { kv, server, tables, settle, stop, running } = follow();
    await kv.put(ipKey('10.1.0.5'), record('10.1.0.5'));
    await settle();
    server.stop();
    await settle(600_000);
    expect([tables.sources.localIps.table.size, tables.sources.localIps.table.scopes.isSynced('local')]).toEqual([1, true]);
    stop.abort();
    await running;
  });
});

describe('runResourceSource', () => {
  it('has services and backends as rows, and says which objects are none', async () => {
    const { kv, resources, tables, settle, stop, complaints } = fixture();
    const { services, localBackends } = tables.sources;
    const running = runResourceSource(
      {
        resources,
        store: tables.store,
        owner,
        onInvalid: (kind, key) => complaints.push(`${kind} ${key}`),
        onDisconnected: () => undefined,
      },
      tables.sources,
      stop.signal,
    );
    await resources.apply<Service>(SERVICE, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { clusterIP: '10.96.0.9', ports: [{ name: 'http', port: 80 }] },
    } as Service);
    await resources.apply<EndpointSlice>(ENDPOINT_SLICE, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.1.0.5'] }],
      ports: [{ name: 'http', port: 8080 }],
    } as EndpointSlice);
    await kv.put('isthmus/resources/core/v1/services/shop/broken', '{');
    await settle();
    expect(services.table.get('shop/web')).toMatchObject({ clusterIps: ['10.96.0.9'] });
    expect(localBackends.table.get('shop/web-1')).toMatchObject({ ...owner, namespace: 'shop', name: 'web' });
    expect(tables.frontends.get('TCP/10.96.0.9:80')?.backends).toEqual(['TCP/10.1.0.5:8080']);
    expect(complaints).toEqual(['Service shop/broken']);
    expect([services, localBackends].map(({ table }) => table.scopes.isSynced('local'))).toEqual([true, true]);
    await resources.delete(SERVICE, 'web', 'shop');
    await settle();
    expect([services.table.size, tables.frontends.size]).toEqual([0, 0]);
    stop.abort();
    await running;
  });
});

describe('PodLabelSource', () => {
  const endpoint = (pod: string) => ({ namespace: 'shop', pod }) as EndpointRow;
  const pod = (name: string, labels: Record<string, string>, nodeName?: string): Pod =>
    ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels }, spec: { nodeName } }) as Pod;
  const space = (labels: Record<string, string>): Namespace =>
    ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop', labels } }) as Namespace;

  it('knows the labels of this node’s pods, with those of their namespace', async () => {
    const { resources, stop, settle } = fixture();
    const changed: string[] = [];
    const source = new PodLabelSource({
      resources,
      cluster: 'east',
      node: 'n1',
      onChanged: (concerns) => changed.push(['web', 'db', 'far'].filter((name) => concerns(endpoint(name))).join()),
      onDisconnected: () => undefined,
      onRelist: () => undefined,
    });
    await resources.apply(NAMESPACE, space({ team: 'a' }));
    await resources.apply(POD, pod('web', { app: 'web' }, 'n1'));
    await resources.apply(POD, pod('db', { app: 'db' }));
    await resources.apply(POD, pod('far', { app: 'far' }, 'n2'));
    const running = source.run(stop.signal);
    expect(source.labelsOf(endpoint('web'))).toBeUndefined();
    await settle();
    expect(source.labelsOf(endpoint('web'))).toContain('k8s:app=web;');
    expect(source.labelsOf(endpoint('web'))).toContain('namespace.labels.team=a;');
    expect(source.labelsOf(endpoint('db'))).toContain('k8s:app=db;');
    expect(source.labelsOf(endpoint('far'))).toBeUndefined();
    changed.length = 0;
    await resources.apply(POD, pod('far', { app: 'other' }, 'n2'));
    await resources.apply(POD, pod('web', { app: 'new' }, 'n1'));
    await settle();
    expect([changed, source.labelsOf(endpoint('web'))]).toEqual([['web'], expect.stringContaining('k8s:app=new;')]);
    await resources.delete(POD, 'web', 'shop');
    await resources.apply(NAMESPACE, space({ team: 'b' }));
    await settle();
    expect(changed.slice(1).sort()).toEqual(['web', 'web,db,far']);
    expect([source.labelsOf(endpoint('web')), source.labelsOf(endpoint('db'))]).toEqual([undefined, expect.stringContaining('team=b')]);
    stop.abort();
    await running;
  });

  it('says nothing before both kinds are listed: half of the labels would be another identity', async () => {
    const { resources, stop, settle } = fixture();
    await resources.apply(POD, pod('web', { app: 'web' }, 'n1'));
    const watch = resources.watch.bind(resources);
    const held = {
      ...resources,
      watch: (kind: { kind: string }, ...rest: unknown[]) =>
        kind.kind === 'Namespace'
          ? new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()))
          : (watch as (...all: unknown[]) => Promise<void>)(kind, ...rest),
    };
    const source = new PodLabelSource({
      resources: held as unknown as typeof resources,
      cluster: 'east',
      node: 'n1',
      onChanged: () => undefined,
      onDisconnected: () => undefined,
      onRelist: () => undefined,
    });
    const running = source.run(stop.signal);
    await settle();
    expect(source.labelsOf(endpoint('web'))).toBeUndefined();
    stop.abort();
    await running;
  });
});
