import { type KvStore, MAX_TXN_OPS } from '@isthmus/kvstore';
import {
  cacheLayout,
  clusterConfigKey,
  encodeClusterConfig,
  encodeConfiguredCluster,
  encodeTimestamp,
  isthmusClusterKey,
  isthmusClustersCanaryKey,
  isthmusHeartbeatKey,
  RECORD_KINDS,
} from '@isthmus/mesh';
import type { MadeUpCluster, Pair } from './remote-records.ts';

/** Transactions on their way at once: enough for an etcd never to wait for us. */
const IN_FLIGHT = 16;

/** Writes keys in transactions of as many as etcd takes. Resolves when all are acknowledged. */
export async function putAll(kv: KvStore, pairs: Iterable<Pair>, inFlight = IN_FLIGHT): Promise<void> {
  const source = pairs[Symbol.iterator]();
  const writer = async (): Promise<void> => {
    for (let chunk = take(source); chunk.length > 0; chunk = take(source)) {
      await kv.txn({ success: chunk.map(([key, value]) => ({ type: 'put', key, value })) });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, writer));
}

function take(source: Iterator<Pair>): Pair[] {
  const chunk: Pair[] = [];
  while (chunk.length < MAX_TXN_OPS) {
    const next = source.next();
    if (next.done) break;
    chunk.push(next.value);
  }
  return chunk;
}

/** What stands beside a cluster's records in a cache: its configuration, its canaries and its heartbeat. No lease takes them away. */
export function announcement(cluster: MadeUpCluster, wallMs: number): Pair[] {
  const time = encodeTimestamp(wallMs);
  const config = encodeClusterConfig({
    id: cluster.id,
    syncedCanaries: true,
    cached: true,
    maxConnectedClusters: 255,
    serviceExportsEnabled: true,
    endpointSlicesExportMode: '',
    tunnelProtocol: '',
    wireguard: true,
  });
  return [
    [clusterConfigKey(cluster.name), config],
    ...RECORD_KINDS.map((kind): Pair => [cacheLayout(kind, cluster.name).canary, time]),
    beat(cluster, wallMs),
  ];
}

/** A sign of life of a cluster. */
export function beat(cluster: MadeUpCluster, wallMs: number): Pair {
  return [isthmusHeartbeatKey(cluster.name), encodeTimestamp(wallMs)];
}

/** The key that says that a cluster is configured: with it agents begin to follow the cluster, without it they drop it. */
export function configuredPair(cluster: MadeUpCluster): Pair {
  return [isthmusClusterKey(cluster.name), encodeConfiguredCluster({ id: cluster.id, caBundle: '' })];
}

/** The mark under which the list of configured clusters is believed. */
export function listMark(own: string, wallMs: number): Pair {
  return [isthmusClustersCanaryKey(own), encodeTimestamp(wallMs)];
}
