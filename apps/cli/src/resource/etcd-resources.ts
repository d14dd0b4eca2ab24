import { randomUUID } from 'node:crypto';
import { systemClock, systemRandom } from '@isthmus/core';
import { EtcdKvStore, KvResources, readEtcdConfig } from '@isthmus/kvstore';
import type { OpenResources } from '../cli.ts';

/** The resources in a cluster etcd. @param etcdFile etcd client file. @throws CodedError KV_CONFIG */
export async function openEtcdResources(etcdFile: string): Promise<OpenResources> {
  const kv = new EtcdKvStore({ config: await readEtcdConfig(etcdFile) });
  const store = new KvResources({ kv, clock: systemClock, random: systemRandom, newUid: randomUUID });
  return { store, close: () => kv.close() };
}
