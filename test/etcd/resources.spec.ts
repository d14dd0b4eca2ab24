import { randomUUID } from 'node:crypto';
import { systemClock, systemRandom } from '@isthmus/core';
import { KvResources } from '@isthmus/kvstore';
import { objectKey, POD } from '@isthmus/model';
import { describeResourceStore } from '../../libs/model/testing/resource-store.contract.ts';
import { EtcdProcess } from './etcd-process.ts';

let etcd: EtcdProcess;
beforeAll(async () => {
  etcd = await EtcdProcess.start();
}, 30_000);
afterAll(() => etcd.close());

describeResourceStore('etcd', async () => {
  const kv = await etcd.connect();
  await kv.deletePrefix('isthmus/');
  return {
    store: new KvResources({ kv, clock: systemClock, random: systemRandom, newUid: randomUUID }),
    corrupt: async (_plural, namespace, name) => void (await kv.put(objectKey(POD, name, namespace), '{"kind":"Pod"')),
    disconnect: async () => {
      await etcd.kill();
      await etcd.run();
    },
    close: async () => kv.close(),
  };
});
