import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Log, messageOf, systemClock, systemRandom } from '@isthmus/core';
import { clientNames } from '@isthmus/crypto';
import { KV_PERMISSION, KvResources } from '@isthmus/kvstore';
import {
  CILIUM_BGP_CLUSTER_CONFIG,
  CILIUM_BGP_NODE_CONFIG,
  CILIUM_BGP_PEER_CONFIG,
  CILIUM_LOAD_BALANCER_IP_POOL,
  CILIUM_NODE,
  ENDPOINT_SLICE,
  parseConfig,
  parseResource,
  type Resource,
  type ResourceKind,
  type ResourceStore,
  SECRET,
  SERVICE,
} from '@isthmus/model';
import { openEtcdTargets } from '../../apps/cli/src/encryption/etcd-targets.ts';
import { EtcdUserBook } from '../../apps/clustermesh-apiserver/src/users/etcd-user-book.ts';
import { Operator } from '../../apps/operator/src/operator.ts';
import { operatorSettings } from '../../apps/operator/src/settings.ts';
import { OperatorMetrics } from '../../apps/operator/src/status/operator-metrics.ts';
import { rejection } from '../../libs/kvstore/testing/kvstore.contract.ts';
import { EtcdProcess } from './etcd-process.ts';
import { TestPki } from './pki.ts';

const CONFIG = {
  'cluster-name': 'east',
  'cluster-id': '1',
  'cluster-pool-ipv4-cidr': '10.1.0.0/16',
  'service-cidr-ipv4': '10.101.0.0/24',
  'enable-ipv6': 'false',
  'enable-wireguard': 'true',
};

/** An operator as it is deployed: with no more rights in the cluster etcd than its user has. */
describe('the operator', () => {
  let pki: TestPki;
  let etcd: EtcdProcess;
  let admin: ResourceStore;
  const warnings: string[] = [];
  beforeAll(async () => {
    pki = await TestPki.create();
    etcd = await EtcdProcess.start({ pki });
    const { auth } = await etcd.connect('root');
    const users = new EtcdUserBook({ cluster: 'east', mesh: auth, clusterEtcd: auth, bgpSecretsNamespace: 'kube-system' });
    await users.setUpClusterEtcd(['n1', 'n2']);
    admin = await resources(clientNames.admin('east'));
  }, 60_000);
  afterAll(async () => {
    await etcd.close();
    await pki.remove();
  });

  const resources = async (user: string): Promise<ResourceStore> =>
    new KvResources({ kv: await etcd.connect(user), clock: systemClock, random: systemRandom, newUid: randomUUID });

  const apply = async (kind: object, object: object): Promise<void> => {
    const typed = kind as ResourceKind;
    await admin.apply(typed, parseResource(typed, { kind: typed.kind, apiVersion: 'cilium.io/v2', ...object }));
  };
  const named = (name: string, spec: object) => ({ metadata: { name }, spec });

  /** Starts an operator; what it returns stops it. */
  const start = async (): Promise<() => Promise<void>> => {
    const note = (fields: object, message?: string): void =>
      void warnings.push(`${message} ${JSON.stringify(fields, (_, value) => (value instanceof Error ? messageOf(value) : value))}`);
    const log: Log = { debug: () => undefined, info: () => undefined, warn: note, error: note };
    const operator = new Operator({
      kv: await etcd.connect(clientNames.operator),
      settings: operatorSettings(parseConfig(CONFIG).config),
      candidate: `test/${randomUUID()}`,
      clock: systemClock,
      random: systemRandom,
      newUid: randomUUID,
      yieldToLoop: () => new Promise((resolve) => setImmediate(resolve)),
      log,
      metrics: new OperatorMetrics(),
    });
    const stop = new AbortController();
    const done = operator.run(stop.signal);
    return async () => {
      stop.abort();
      await done;
    };
  };

  /** Waits until an object is as it should be; what it is then. */
  const become = async (kind: object, name: string, is: (object: Resource) => boolean, namespace?: string): Promise<Resource> => {
    const stop = new AbortController();
    const key = namespace === undefined ? name : `${namespace}/${name}`;
    return new Promise<Resource>((resolve, reject) => {
      const timer = AbortSignal.timeout(20_000);
      timer.addEventListener('abort', () => reject(new Error(`${key} never was as it should be`)));
      const onBatch = (changes: readonly { key: string; object: Resource | undefined }[]): void => {
        for (const change of changes) if (change.key === key && change.object && is(change.object)) resolve(change.object);
      };
      admin.watch(kind as ResourceKind, { onBatch, onSynced: () => undefined }, stop.signal).catch(reject);
    }).finally(() => stop.abort());
  };
  const says = (type: string, status: string) => (object: Resource) =>
    ((object['status'] as { conditions?: { type: string; status: string }[] })?.conditions ?? []).some(
      (each) => each.type === type && each.status === status,
    );

  it('may do all that it does, and no more', async () => {
    for (const n of [1, 2]) await apply(CILIUM_NODE, named(`n${n}`, { addresses: [{ type: 'InternalIP', ip: `172.30.1.${n}` }] }));
    await apply(CILIUM_BGP_PEER_CONFIG, named('tor', { authSecretRef: 'tor' }));
    const peers = [
      { name: 'tor', peerAddress: '192.0.2.1', peerConfigRef: { name: 'tor' } },
      { name: 'nodes', autoDiscovery: { mode: 'NodeMesh' } },
    ];
    await apply(CILIUM_BGP_CLUSTER_CONFIG, named('rack', { bgpInstances: [{ name: 'main', localASN: 65001, peers }] }));
    await apply(CILIUM_LOAD_BALANCER_IP_POOL, named('pool', { blocks: [{ cidr: '10.9.0.0/24' }] }));
    await apply(SERVICE, {
      apiVersion: 'v1',
      metadata: { name: 'web' },
      spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] },
    });
    const stop = await start();
    const config = await become(CILIUM_BGP_NODE_CONFIG, 'n1', () => true);
    expect(config['spec']).toMatchObject({
      bgpInstances: [
        { name: 'main', routerID: '172.30.1.1', peers: [{ name: 'tor' }, { name: 'nodes/n2', peerAddress: '172.30.1.2', peerASN: 65001 }] },
      ],
    });
    const service = await become(SERVICE, 'web', says('cilium.io/IPAMRequestSatisfied', 'True'), 'default');
    expect(service).toMatchObject({ status: { loadBalancer: { ingress: [{ ip: '10.9.0.0' }] } } });
    await become(SERVICE, 'web', ({ spec }) => (spec as { clusterIP?: string }).clusterIP !== undefined, 'default');
    await become(ENDPOINT_SLICE, 'web-v4', () => true, 'default');
    await become(CILIUM_NODE, 'n2', ({ spec }) => (spec as { ipam?: unknown }).ipam !== undefined);
    await become(CILIUM_BGP_PEER_CONFIG, 'tor', says('cilium.io/MissingAuthSecret', 'True'));
    await apply(SECRET, { apiVersion: 'v1', metadata: { name: 'tor', namespace: 'kube-system' }, stringData: { password: 'x' } });
    await become(CILIUM_BGP_PEER_CONFIG, 'tor', says('cilium.io/MissingAuthSecret', 'False'));
    await stop();
    expect(warnings).toEqual([]);
  });

  it('begins with keys of encryption, and people see that, and may ask for others', async () => {
    const stop = await start();
    const file = join(pki.folder, 'admin.yaml');
    const { endpoints, trustedCaFile, certFile, keyFile } = await etcd.config(clientNames.admin('east'));
    await writeFile(file, JSON.stringify({ endpoints, 'trusted-ca-file': trustedCaFile, 'cert-file': certFile, 'key-file': keyFile }));
    const { targets, user, close } = await (async () => {
      for (;;) {
        const open = await openEtcdTargets(file);
        if (open.targets) return { ...open, targets: open.targets };
        open.close();
      }
    })();
    const first = await targets.read();
    expect([user, first?.target, first?.by]).toEqual(['admin-east', 1, 'operator']);
    expect(await targets.raise(first, { ...first!, target: 2, by: user, reason: 'a test' })).toBe(true);
    expect(await targets.raise(first, { ...first!, target: 2, by: user, reason: 'too late' })).toBe(false);
    expect((await targets.history()).map(({ by, target }) => [by, target])).toEqual([
      ['admin-east', 2],
      ['operator', 1],
    ]);
    close();
    await stop();
    expect(warnings).toEqual([]);
  });

  it('leaves addresses and the status of sessions as they are when another one takes over', async () => {
    const agent = await resources(clientNames.agent('n1'));
    const status = { bgpInstances: [{ name: 'main', peers: [{ name: 'tor', peerAddress: '192.0.2.1', peeringState: 'established' }] }] };
    const report = (name: string) => agent.update(CILIUM_BGP_NODE_CONFIG, name, undefined, (current) => current && { ...current, status });
    await report('n1');
    await rejection(report('n2'), KV_PERMISSION);
    await apply(SERVICE, { apiVersion: 'v1', metadata: { name: 'a' }, spec: { type: 'LoadBalancer' } });
    await apply(CILIUM_BGP_CLUSTER_CONFIG, named('rack', { bgpInstances: [{ name: 'main', localASN: 65002 }] }));
    const stop = await start();
    const config = await become(CILIUM_BGP_NODE_CONFIG, 'n1', ({ spec }) => JSON.stringify(spec).includes('65002'));
    expect(config['status']).toEqual(status);
    await become(SERVICE, 'a', says('cilium.io/IPAMRequestSatisfied', 'True'), 'default');
    const ips = async (name: string) => (await admin.get(SERVICE, name, 'default'))?.status?.loadBalancer?.ingress?.map(({ ip }) => ip);
    expect([await ips('web'), await ips('a')]).toEqual([['10.9.0.0'], ['10.9.0.1']]);
    await stop();
    expect(warnings).toEqual([]);
  });
});
