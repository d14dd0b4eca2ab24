import { CodedError, delay, systemClock } from '@isthmus/core';
import { type BpfMap, decodeIpcacheValue, ipcacheKeyBytes } from '@isthmus/datapath';
import type { EtcdKvStore } from '@isthmus/kvstore';
import { agentId, agentSocket, type ClusterPlan, getJson, Lab, MESH_ETCD_PORT, type NodePlace } from '@isthmus/lab';
import { RESERVED_IDENTITY } from '@isthmus/model';
import { BENCH_NOT_ARRIVED } from '../bench.errors.ts';
import { agentMap, untilAll, type Wanted } from './agent-map.ts';
import { etcdClient } from './etcd-client.ts';
import { announcement, beat, configuredPair, listMark, putAll } from './publish.ts';
import { hostAddress, identityOf, type MadeUpCluster, podAddress, recordPairs } from './remote-records.ts';
import { stayInNamespace } from './stay-in-namespace.ts';

const LAB = 'bench';
const TOPOLOGY = 'one-node';
const BEAT_MS = 30_000;
const ARRIVAL_TIMEOUT_MS = 120_000;
const [TABLE_LOOKS, TABLE_LOOK_MS] = [1_000, 20];

/**
 * A cluster of one node whose mesh etcd the benchmark writes as a mirror would: the agent follows made-up clusters in it, without anybody
 * else's work beside. Its apiserver is stopped: it would remove what it has not written.
 */
export class CacheLab {
  readonly lab: Lab;
  readonly kv: EtcdKvStore;
  readonly ipcache: BpfMap;
  readonly #leave: () => void;
  readonly #beating = new AbortController();
  #announced: readonly MadeUpCluster[] = [];

  private constructor(lab: Lab, kv: EtcdKvStore, ipcache: BpfMap, leave: () => void) {
    this.lab = lab;
    this.kv = kv;
    this.ipcache = ipcache;
    this.#leave = leave;
    void this.#beat();
  }

  /** Brings it up. What an earlier run left is removed first. */
  static async open(progress: (line: string) => void): Promise<CacheLab> {
    await Lab.down(LAB);
    const lab = await Lab.up(TOPOLOGY, { name: LAB, progress });
    const cluster = clusterOf(lab);
    await lab.processes.stop(`${cluster.name}/apiserver`);
    const leave = stayInNamespace(cluster.control.netns);
    const kv = etcdClient(cluster, MESH_ETCD_PORT);
    await putAll(kv, [listMark(cluster.name, systemClock.wall())]);
    return new CacheLab(lab, kv, agentMap(nodeOf(lab), 'isth_ipcache'), leave);
  }

  /** Removes everything, also what was opened half way. */
  static async remove(opened: CacheLab | undefined): Promise<void> {
    opened?.close();
    await Lab.down(LAB);
  }

  get cluster(): ClusterPlan {
    return clusterOf(this.lab);
  }

  get node(): NodePlace {
    return nodeOf(this.lab);
  }

  get agentPid(): number {
    return this.lab.processes.get(agentId(this.node)).pid;
  }

  /** Processes that work for it. */
  pids(): number[] {
    return this.lab.processes.list().map(({ pid }) => pid);
  }

  /** Writes all records of these clusters into the cache, and what stands beside them. The agent follows none of them yet. */
  async publish(clusters: readonly MadeUpCluster[]): Promise<void> {
    for (const cluster of clusters) {
      await putAll(this.kv, recordPairs(cluster));
      await putAll(this.kv, announcement(cluster, systemClock.wall()));
    }
    this.#announced = [...this.#announced, ...clusters];
  }

  async #configure(clusters: readonly MadeUpCluster[]): Promise<void> {
    await putAll(this.kv, clusters.map(configuredPair));
  }

  /** Takes clusters away, and waits until the map holds none of their rows. Their records stay in the cache. */
  async forget(clusters: readonly MadeUpCluster[]): Promise<void> {
    await Promise.all(clusters.map((cluster) => this.kv.delete(configuredPair(cluster)[0])));
    await this.#arrival(absentRows(clusters));
  }

  /** Has the agent follow these clusters, and waits until all their addresses are in the kernel. Answers when, as `performance.now`. */
  async follow(clusters: readonly MadeUpCluster[]): Promise<number> {
    const rows = presentRows(clusters);
    await this.#configure(clusters);
    return this.#arrival(rows);
  }

  /**
   * Has the agent follow these clusters, and takes them away again. Answers the seconds until every address was in the kernel's map, and every
   * identity in the agent's table.
   * @param whileThere called between the two
   */
  async sync(clusters: readonly MadeUpCluster[], whileThere?: () => Promise<void>): Promise<number> {
    const rows = presentRows(clusters);
    const started = performance.now();
    await this.#configure(clusters);
    const arrived = await this.#arrival(rows);
    // Identities are in no map: they are there by then, or count until they are.
    const identified = await this.#tableSize('remote-identities', sum(clusters, 'identities'));
    await whileThere?.();
    await this.forget(clusters);
    return (Math.max(arrived, identified) - started) / 1000;
  }

  #arrival(wanted: readonly Wanted[]): Promise<number> {
    return untilAll(this.ipcache, wanted, ARRIVAL_TIMEOUT_MS);
  }

  /** Waits until a table of the agent has so many rows. Answers when it was seen, as `performance.now`; 0 when it had them at once. */
  async #tableSize(table: string, rows: number): Promise<number> {
    for (let looks = 0; ; looks++) {
      const status = (await getJson(agentSocket(this.node), '/v1/status')) as { tables?: Record<string, number> } | undefined;
      if (status?.tables?.[table] === rows) return looks === 0 ? 0 : performance.now();
      if (looks === TABLE_LOOKS)
        throw new CodedError(BENCH_NOT_ARRIVED, `table ${table} has ${status?.tables?.[table]} rows, not ${rows}`, { object: table });
      await delay(systemClock, TABLE_LOOK_MS);
    }
  }

  /** All rows of a table of the agent. */
  async tableRows<T>(table: string): Promise<{ key: string; row: T }[]> {
    const rows = await getJson(agentSocket(this.node), `/v1/tables/${table}`);
    if (!rows) throw new CodedError(BENCH_NOT_ARRIVED, `the agent does not show its table ${table}`, { object: table });
    return rows as { key: string; row: T }[];
  }

  /** Gives the space of what was written over back. */
  async compact(): Promise<void> {
    const { revision } = await this.kv.status();
    await this.kv.maintenance.compact(revision, { timeoutMs: ARRIVAL_TIMEOUT_MS });
  }

  close(): void {
    this.#beating.abort();
    this.ipcache.close();
    this.kv.close();
    this.#leave();
  }

  /** Without a heartbeat the clusters would count as out of reach after two minutes. */
  async #beat(): Promise<void> {
    const { signal } = this.#beating;
    while (!signal.aborted) {
      await delay(systemClock, BEAT_MS, signal).catch(() => undefined);
      if (signal.aborted) return;
      const now = systemClock.wall();
      await putAll(
        this.kv,
        this.#announced.map((cluster) => beat(cluster, now)),
      ).catch(() => undefined); // missed beats show in the result
    }
  }
}

/** The ipcache map must hold an address with this identity. */
export function present(address: string, identity: number, cluster: number): Wanted {
  return {
    key: ipcacheKeyBytes(address),
    is: (value) => {
      const row = value && decodeIpcacheValue(value);
      return row?.identity === identity && row.cluster === cluster;
    },
  };
}

/** The ipcache map must hold nothing of a cluster for an address; a look-up falls back to the entry of the world. */
export function absent(address: string, cluster: number): Wanted {
  return { key: ipcacheKeyBytes(address), is: (value) => value === undefined || decodeIpcacheValue(value).cluster !== cluster };
}

function presentRows(clusters: readonly MadeUpCluster[]): Wanted[] {
  return addressesOf(clusters).map(({ address, identity, cluster }) => present(address, identity, cluster));
}

function absentRows(clusters: readonly MadeUpCluster[]): Wanted[] {
  return addressesOf(clusters).map(({ address, cluster }) => absent(address, cluster));
}

function addressesOf(clusters: readonly MadeUpCluster[]): { address: string; identity: number; cluster: number }[] {
  return clusters.flatMap((each) => {
    const cluster = each.id;
    const hosts = Array.from({ length: each.nodes }, (_, node) => hostAddress(each, node));
    const pods = Array.from({ length: each.ips }, (_, pod) => ({
      address: podAddress(each, pod),
      identity: identityOf(each, pod),
      cluster,
    }));
    return [...hosts.map((address) => ({ address, identity: RESERVED_IDENTITY.remoteNode, cluster })), ...pods];
  });
}

function sum(clusters: readonly MadeUpCluster[], what: 'identities' | 'ips'): number {
  return clusters.reduce((total, cluster) => total + cluster[what], 0);
}

function clusterOf(lab: Lab): ClusterPlan {
  return lab.plan.clusters[0] as ClusterPlan;
}

function nodeOf(lab: Lab): NodePlace {
  return clusterOf(lab).nodes[0] as NodePlace;
}
