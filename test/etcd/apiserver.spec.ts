import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@isthmus/core';
import { certificateFacts, connectClusters, enrolNode, JoinClient } from '@isthmus/crypto';
import { EtcdKvStore, KvResources } from '@isthmus/kvstore';
import { identityKey, ipKey, wireGuardKey, wireGuardTargetKey } from '@isthmus/mesh';
import { applyService, KINDS, wireGuardEntry, wireGuardTargetEntry } from '../../apps/clustermesh-apiserver/src/testing/records.ts';
import { KV_PERMISSION } from '../../libs/kvstore/src/kv-errors.ts';
import { rejection } from '../../libs/kvstore/testing/kvstore.contract.ts';
import { keysOf, MeshCluster, until } from './mesh-cluster.ts';

const TIMEOUT_MS = 90_000;
const WEST = { name: 'west', id: 2 };

/** Records of both clusters' agents, with a field that nobody knows. */
const IDENTITY = (id: number, cluster: string): [string, string] => [
  identityKey(id * 65_536 + 300),
  `k8s:app=web;k8s:io.cilium.k8s.policy.cluster=${cluster};k8s:io.kubernetes.pod.namespace=shop;`,
];
const IP = (id: number): [string, string] => [
  ipKey(`10.${id}.0.5`),
  `{"IP":"10.${id}.0.5","HostIP":"192.0.2.${id}","ID":${id * 65_536 + 300},"Key":0,"Metadata":"","K8sNamespace":"shop","K8sPodName":"web-1","New":{"a": 1}}`,
];

describe('two clusters with real etcds', () => {
  let [east, west]: MeshCluster[] = [];

  beforeAll(async () => {
    [east, west] = await Promise.all([MeshCluster.create('east', 1), MeshCluster.create('west', 2)]);
    for (const [cluster, id] of [
      [east, 1],
      [west, 2],
    ] as const) {
      const kv = cluster.stores.cluster;
      for (const [key, value] of [IDENTITY(id, cluster.name), IP(id)]) await kv.put(key, value);
      const resources = new KvResources({ kv, clock: systemClock, random: systemRandom, newUid: () => `${id}` });
      await applyService(resources, 'shop', 'web', `10.${id}.0.5`);
      await cluster.start();
    }
  }, TIMEOUT_MS);

  afterAll(async () => {
    if (process.env['SHOW_LOG']) process.stderr.write(`${[...(east?.lines ?? []), ...(west?.lines ?? [])].join('\n')}\n`);
    await Promise.all([east?.close(), west?.close()]);
  }, TIMEOUT_MS);

  const ready = (cluster: MeshCluster): Promise<void> =>
    until(`${cluster.name} is ready`, () => cluster.apiserver.missing().length === 0).catch((error: unknown) => {
      throw new Error(`${cluster.name} waits for: ${cluster.apiserver.missing().join(', ')}`, { cause: error });
    });
  const cacheOf = (cluster: MeshCluster, remote: string): Promise<Record<string, string>> =>
    keysOf(cluster.stores.mesh, 'cilium/cache/').then((keys) =>
      Object.fromEntries(Object.entries(keys).filter(([key]) => key.includes(`/v1/${remote}`))),
    );

  it('export themselves, guarded by users', async () => {
    for (const cluster of [east!, west!]) await ready(cluster);
    const state = await keysOf(east!.stores.mesh, 'cilium/state/');
    const [[idKey, labels], [ip, ipValue]] = [IDENTITY(1, 'east'), IP(1)];
    expect(state).toMatchObject({ [idKey]: labels, [ip]: ipValue });
    expect(Object.keys(state)).toContain('cilium/state/services/v1/east/shop/web');
    expect(Object.keys(await keysOf(east!.stores.mesh, 'cilium/synced/east/cilium/state/'))).toHaveLength(KINDS.length);
    await rejection(readAsOutsider(east!), KV_PERMISSION);
  });

  it('join, and mirror each other byte for byte', async () => {
    expect(await connectClusters(await east!.joinApi(), await west!.joinApi())).toEqual({ first: 'east', second: 'west', isNew: true });
    for (const [cluster, id, remote] of [
      [east!, 2, 'west'],
      [west!, 1, 'east'],
    ] as const) {
      await until(`${remote} is mirrored`, async () => {
        return Object.keys(await keysOf(cluster.stores.mesh, `cilium/synced/${remote}/`)).length === KINDS.length;
      });
      await ready(cluster);
      const cache = await cacheOf(cluster, remote);
      expect(cache[`cilium/cache/identities/v1/${remote}/id/${id * 65_536 + 300}`]).toBe(IDENTITY(id, remote)[1]);
      expect(cache[`cilium/cache/ip/v1/${remote}/10.${id}.0.5`]).toBe(IP(id)[1]);
      const configured = JSON.parse(cache[`cilium/cache/isthmus/clusters/v1/${remote}`] ?? '{}');
      expect([configured.id, certificateFacts(configured.caBundle).cn]).toEqual([id, `isthmus-ca-${remote}`]);
      expect(Object.keys(cache)).toContain(`cilium/cache/services/v1/${remote}/shop/web`);
    }
    expect(await (await east!.joinApi()).remotes()).toMatchObject([{ name: 'west', id: 2, ready: true, counts: { endpoints: 1 } }]);
  });

  it('tell each other of keys of nodes, and of the epoch that they want', async () => {
    const { cluster } = west!.stores;
    const [[key, seventh], [, eighth], [targetKey, wanted]] = [
      wireGuardEntry(WEST, 'n2'),
      wireGuardEntry(WEST, 'n2', 8),
      wireGuardTargetEntry(WEST, 7),
    ];
    await cluster.put(key, seventh);
    await cluster.put(targetKey, wanted);
    const [keys, target] = ['cilium/cache/isthmus/wireguard/v1/west/n2', 'cilium/cache/isthmus/wireguard-target/v1/west/target'];
    await until('both are there', async () => {
      const cache = await cacheOf(east!, 'west');
      return cache[keys] === seventh && cache[target] === wanted;
    });
    await cluster.put(key, eighth);
    await until('the next epoch is there', async () => (await cacheOf(east!, 'west'))[keys] === eighth);
    // Keys under another node's name are nobody's.
    await cluster.put(key, wireGuardEntry(WEST, 'n1')[1]);
    await until('no keys are there', async () => !(keys in (await cacheOf(east!, 'west'))));
    expect((await cacheOf(east!, 'west'))[target]).toBe(wanted);
  });

  it('give nodes certificates that open what they need in both etcds, and no more', async () => {
    const admin = await east!.joinApi();
    const { token } = await admin.createToken({ kind: 'node', subject: 'n1' });
    const caBundle = await readFile(east!.pki.ca.cert, 'utf8');
    const api = new JoinClient({ endpoint: east!.apiserver.joinUrl!, trust: { caBundle }, credential: { token } });
    const node = await enrolNode(api, { cluster: 'east', node: 'n1', clock: systemClock });
    const connect = async (name: string, certPem: string, endpoint: string): Promise<EtcdKvStore> => {
      const [certFile, keyFile] = [join(east!.folder, `${name}.crt`), join(east!.folder, `${name}.key`)];
      await writeFile(certFile, certPem);
      await writeFile(keyFile, node.keyPem, { mode: 0o600 });
      return new EtcdKvStore({ config: { endpoints: [endpoint], trustedCaFile: east!.pki.ca.cert, certFile, keyFile } });
    };
    const cluster = await connect('n1', node.certificate, node.clusterEtcd.endpoints[0]!);
    const mesh = await connect('n1-mesh', node.meshCertificate, node.meshEtcd.endpoints[0]!);
    await cluster.put(ipKey('10.1.0.6'), '{}');
    await cluster.delete(ipKey('10.1.0.6'));
    await cluster.put('isthmus/resources/cilium.io/v2/ciliumnodes/n1', '{}');
    await cluster.delete('isthmus/resources/cilium.io/v2/ciliumnodes/n1').catch(() => undefined);
    await rejection(cluster.put('isthmus/resources/cilium.io/v2/ciliumnodes/n2', '{}'), KV_PERMISSION);
    await cluster.put(wireGuardKey('east', 'n1'), '{}');
    await cluster.delete(wireGuardKey('east', 'n1'));
    await rejection(cluster.put(wireGuardKey('east', 'n2'), '{}'), KV_PERMISSION);
    await rejection(cluster.put(wireGuardTargetKey('east'), '{}'), KV_PERMISSION);
    await rejection(cluster.get('isthmus/resources/core/v1/secrets/shop/a'), KV_PERMISSION);
    expect(Object.keys(await keysOf(mesh, 'cilium/cache/ip/v1/west/'))).toHaveLength(1);
    await rejection(mesh.put('cilium/cache/ip/v1/west/10.2.0.5', ''), KV_PERMISSION);
    cluster.close();
    mesh.close();
  });

  it(
    'survive a mesh etcd that is wiped',
    async () => {
      await east!.meshEtcd.wipe();
      await east!.meshEtcd.run();
      await until(
        'the mirror is there again',
        async () => Object.keys(await keysOf(east!.stores.mesh, 'cilium/synced/west/')).length === KINDS.length,
      );
      expect((await cacheOf(east!, 'west'))['cilium/cache/ip/v1/west/10.2.0.5']).toBe(IP(2)[1]);
      await until('the users are there again', async () => (await east!.stores.mesh.auth.users()).includes('remote-west'));
      await until('west reads it again', async () => {
        return (await (await west!.joinApi()).remotes()).every(({ ready: isReady }) => isReady);
      });
      expect((await cacheOf(west!, 'east'))['cilium/cache/ip/v1/east/10.1.0.5']).toBe(IP(1)[1]);
    },
    TIMEOUT_MS,
  );

  it('take over what happened while the apiserver was away, and nothing else', async () => {
    const before = await keysOf(east!.stores.mesh, 'cilium/cache/');
    await east!.stop();
    expect(await keysOf(east!.stores.mesh, 'cilium/cache/')).toEqual(before);
    await west!.stores.cluster.delete(IP(2)[0]);
    await until('west has let go', async () => !(IP(2)[0] in (await keysOf(west!.stores.mesh, 'cilium/state/'))));
    await east!.start();
    await until('the address is gone', async () => !('cilium/cache/ip/v1/west/10.2.0.5' in (await cacheOf(east!, 'west'))));
    expect(Object.keys(await cacheOf(east!, 'west'))).toContain('cilium/cache/services/v1/west/shop/web');
  });

  it('part: one side drops the other, and keeps all that is its own', async () => {
    const own = await keysOf(east!.stores.mesh, 'cilium/state/');
    await (await east!.joinApi()).disconnect('west');
    await until('nothing of west is left', async () =>
      Object.keys(await keysOf(east!.stores.mesh, '')).every((key) => !key.includes('west')),
    );
    expect(await keysOf(east!.stores.mesh, 'cilium/state/')).toEqual(own);
    expect(Object.keys(await cacheOf(west!, 'east'))).not.toEqual([]);
  });
});

/** Reads the mesh etcd with a certificate of the cluster's CA whose name is no user there. */
async function readAsOutsider(cluster: MeshCluster): Promise<void> {
  const { cert, key } = cluster.pki.clients.operator;
  const config = { endpoints: [cluster.meshEtcd.endpoint], trustedCaFile: cluster.pki.ca.cert, certFile: cert, keyFile: key };
  const store = new EtcdKvStore({ config });
  await store.get('cilium/.heartbeat').finally(() => store.close());
}
