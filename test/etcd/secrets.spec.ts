import { randomUUID } from 'node:crypto';
import { systemClock, systemRandom } from '@isthmus/core';
import { clientNames } from '@isthmus/crypto';
import { KV_PERMISSION, KvResources } from '@isthmus/kvstore';
import { type ResourceStore, SECRET, type Secret, secretValue } from '@isthmus/model';
import { EtcdUserBook } from '../../apps/clustermesh-apiserver/src/users/etcd-user-book.ts';
import { rejection } from '../../libs/kvstore/testing/kvstore.contract.ts';
import { EtcdProcess } from './etcd-process.ts';
import { TestPki } from './pki.ts';

const NAMESPACE = 'bgp-secrets';

/** The rights of the cluster etcd's users as they are set up, asked of a real etcd. */
describe('secrets in the cluster etcd', () => {
  let pki: TestPki;
  let etcd: EtcdProcess;
  beforeAll(async () => {
    pki = await TestPki.create();
    etcd = await EtcdProcess.start({ pki });
    const { auth } = await etcd.connect('root');
    const users = new EtcdUserBook({ cluster: 'east', mesh: auth, clusterEtcd: auth, bgpSecretsNamespace: NAMESPACE });
    await users.setUpClusterEtcd(['n1']);
    const admin = await resources(clientNames.admin('east'));
    for (const namespace of [NAMESPACE, `${NAMESPACE}-2`, 'shop']) await admin.apply(SECRET, secret(namespace));
  }, 60_000);
  afterAll(async () => {
    await etcd.close();
    await pki.remove();
  });

  const resources = async (user: string): Promise<ResourceStore> =>
    new KvResources({ kv: await etcd.connect(user), clock: systemClock, random: systemRandom, newUid: randomUUID });
  const secret = (namespace: string): Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'tor', namespace },
    data: { password: Buffer.from(`of ${namespace}`).toString('base64') },
  });

  it.each([clientNames.agent('n1'), clientNames.operator])(
    'of BGP peers are read by %s, who writes none and reads no others',
    async (user) => {
      const store = await resources(user);
      expect(secretValue((await store.get(SECRET, 'tor', NAMESPACE))!, 'password')?.toString()).toBe(`of ${NAMESPACE}`);
      expect((await store.list(SECRET, NAMESPACE)).length).toBe(1);
      await rejection(store.apply(SECRET, { ...secret(NAMESPACE), data: {} }), KV_PERMISSION);
      await rejection(store.delete(SECRET, 'tor', NAMESPACE), KV_PERMISSION);
      for (const namespace of [`${NAMESPACE}-2`, 'shop']) await rejection(store.get(SECRET, 'tor', namespace), KV_PERMISSION);
      for (const namespace of ['shop', undefined]) await rejection(store.list(SECRET, namespace), KV_PERMISSION);
    },
  );

  it('are followed in their namespace by an agent', async () => {
    const [agent, admin] = [await resources(clientNames.agent('n1')), await resources(clientNames.admin('east'))];
    const stop = new AbortController();
    const seen: string[] = [];
    const watch = new Promise<void>((resolve, reject) => {
      const onBatch = (changes: readonly { key: string; object: Secret | undefined }[]): void => {
        for (const { key, object } of changes) seen.push(`${key} ${object && secretValue(object, 'password')}`);
        if (seen.length > 1) resolve();
      };
      const onSynced = (): void => void admin.apply(SECRET, { ...secret(NAMESPACE), data: { password: 'bmV3' } }).catch(reject);
      agent.watch(SECRET, { onBatch, onSynced, onDisconnected: reject }, stop.signal, { namespace: NAMESPACE }).catch(reject);
    });
    await watch.finally(() => stop.abort());
    expect(seen).toEqual([`${NAMESPACE}/tor of ${NAMESPACE}`, `${NAMESPACE}/tor new`]);
  });

  it('are not read at all by the apiserver', async () => {
    const store = await resources(clientNames.apiserver);
    await rejection(store.get(SECRET, 'tor', NAMESPACE), KV_PERMISSION);
    await rejection(store.list(SECRET), KV_PERMISSION);
  });
});
