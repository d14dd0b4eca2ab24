import { ManualClock, seededRandom } from '@isthmus/core';
import { MemoryKvServer } from '@isthmus/kvstore';
import {
  cacheLayout,
  clusterConfigKey,
  encodeClusterConfig,
  encodeWireGuard,
  isthmusClusterKey,
  isthmusClustersCanaryKey,
  isthmusHeartbeatKey,
  RECORD_KINDS,
} from '@isthmus/mesh';
import { ipRecord } from '../publish/ip-record-fixture.ts';
import { ownTables } from '../tables/own-node-fixture.ts';
import { MeshSource } from './mesh-source.ts';

/** A mesh etcd as an apiserver fills it, and an agent's tables. */
function fixture() {
  const clock = new ManualClock();
  const server = new MemoryKvServer({ clock });
  const kv = server.connect();
  const tables = ownTables(clock);
  const defects: unknown[] = [];
  let beats = 0;
  const source = new MeshSource(
    {
      kv: server.connect(),
      endpoints: [],
      store: tables.store,
      own: { name: 'east', id: 1, maxConnectedClusters: 255, tunnelProtocol: 'vxlan' },
      clock,
      random: seededRandom(1),
      onTransition: () => undefined,
      onDropped: () => undefined,
      onDisconnected: () => undefined,
      onDefect: (error) => defects.push(error),
    },
    tables.sources,
  );
  const stop = new AbortController();
  const running = source.run(stop.signal);
  const settle = async (ms = 0): Promise<void> => {
    for (let i = 0; i < 80; i++) {
      clock.advance(ms / 80);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
    expect(defects).toEqual([]);
  };
  const list = (cluster: string, id: number) => kv.put(isthmusClusterKey(cluster), JSON.stringify({ id }));
  const mark = () => kv.put(isthmusClustersCanaryKey('east'), 'now');
  const putIp = (cluster: string, id: number, ip: string) =>
    kv.put(`${cacheLayout('ips', cluster).prefix}${ip}`, ipRecord(ip, (id << 16) + 300, '172.30.9.1'));
  const mirror = async (cluster: string, id: number, wireguard = true): Promise<void> => {
    await kv.put(
      clusterConfigKey(cluster),
      encodeClusterConfig({
        id,
        syncedCanaries: true,
        cached: true,
        maxConnectedClusters: 255,
        serviceExportsEnabled: undefined,
        endpointSlicesExportMode: '',
        tunnelProtocol: 'vxlan',
        wireguard,
      }),
    );
    await kv.put(isthmusHeartbeatKey(cluster), String(++beats));
    for (const kind of RECORD_KINDS) if (wireguard || !kind.startsWith('wireguard')) await kv.put(cacheLayout(kind, cluster).canary, 't');
  };
  const putKeys = (cluster: string, clusterId: number, name: string) =>
    kv.put(
      `${cacheLayout('wireguard', cluster).prefix}${name}`,
      encodeWireGuard({ cluster, clusterId, name, epochs: [], minTx: 0, laggards: [] }),
    );
  const { remoteIps, remoteWireGuard } = tables.sources;
  const nodesWithKeys = () => [...remoteWireGuard.table.rows()].map(([key]) => key);
  const ips = () => [...remoteIps.table.rows()].map(([key]) => key).sort();
  const synced = (scope: string) => remoteIps.table.scopes.isSynced(scope);
  return { server, kv, source, tables, settle, end, list, mark, mirror, putIp, putKeys, ips, nodesWithKeys, synced };
}

describe('MeshSource', () => {
  it('fills the tables with a cluster, and says when it is complete', async () => {
    const { settle, end, list, mark, mirror, putIp, ips, synced, source } = fixture();
    await settle();
    expect([source.listed, synced('cluster-2'), synced('cluster-9')]).toEqual([false, false, false]);
    await list('west', 2);
    await mark();
    await settle();
    // What the kernel holds of number 9 is nobody's; what it holds of number 2 waits for its cluster.
    expect([source.listed, synced('cluster-2'), synced('cluster-9')]).toEqual([true, false, true]);
    await putIp('west', 2, '10.2.0.5');
    await mirror('west', 2);
    await settle(5_000);
    expect([ips(), synced('cluster-2'), source.statuses()[0]?.ready]).toEqual([['west/10.2.0.5'], true, true]);
    await end();
  });

  it('reads keys of nodes, and waits for none where a mirror of an earlier version knows of none', async () => {
    const { settle, end, list, mark, mirror, putKeys, nodesWithKeys, source, tables } = fixture();
    await list('west', 2);
    await mark();
    await mirror('west', 2, false);
    await settle(5_000);
    const { scopes } = tables.sources.remoteWireGuard.table;
    expect([source.statuses()[0]?.ready, nodesWithKeys()]).toEqual([true, []]);
    expect([scopes.isSynced('cluster-2'), scopes.isSynced('cluster-9')]).toEqual([true, true]);
    await putKeys('west', 2, 'n1');
    await mirror('west', 2);
    await settle(5_000);
    expect([source.statuses()[0]?.ready, nodesWithKeys()]).toEqual([true, ['west/n1']]);
    // It goes back to the earlier version.
    await mirror('west', 2, false);
    await settle(5_000);
    expect([source.statuses()[0]?.ready, nodesWithKeys()]).toEqual([true, ['west/n1']]);
    await end();
  });

  it('calls nobody’s rows nobody’s only when every cluster has a number', async () => {
    const { settle, end, list, mark, mirror, synced } = fixture();
    await list('west', 2);
    await list('north', 0);
    await mark();
    await settle();
    expect(synced('cluster-9')).toBe(false);
    await mirror('north', 3);
    await settle(5_000);
    expect([synced('cluster-9'), synced('cluster-2')]).toEqual([true, false]);
    await end();
  });

  it('keeps everything while the mesh etcd is away, or comes back empty', async () => {
    const { server, settle, end, list, mark, mirror, putIp, ips, source } = fixture();
    await list('west', 2);
    await mark();
    await putIp('west', 2, '10.2.0.5');
    await mirror('west', 2);
    await settle(5_000);
    server.stop();
    await settle(10 * 60_000);
    expect([ips(), source.statuses()[0]?.state]).toEqual([['west/10.2.0.5'], 'degraded']);
    server.start();
    server.wipe();
    await settle(10 * 60_000);
    expect(ips()).toEqual(['west/10.2.0.5']);
    await list('west', 2);
    await putIp('west', 2, '10.2.0.6');
    await mirror('west', 2);
    await mark();
    await settle(60_000);
    expect(ips()).toEqual(['west/10.2.0.6']);
    await end();
  });

  it('drops a cluster that is configured no more, and only that one', async () => {
    const { kv, settle, end, list, mark, mirror, putIp, ips, synced, source } = fixture();
    for (const [name, id] of [
      ['west', 2],
      ['north', 3],
    ] as const) {
      await list(name, id);
      await putIp(name, id, `10.${id}.0.5`);
      await mirror(name, id);
    }
    await mark();
    await settle(5_000);
    await kv.delete(isthmusClusterKey('west'));
    await settle(5_000);
    expect([ips(), source.statuses().map(({ cluster }) => cluster)]).toEqual([['north/10.3.0.5'], ['north']]);
    // Removed is synced and empty: what the kernel has of it may go.
    expect(synced('cluster-2')).toBe(true);
    await list('west', 2);
    await settle(60_000);
    expect([ips(), synced('cluster-2')]).toEqual([['north/10.3.0.5', 'west/10.2.0.5'], true]);
    await end();
  });
});
