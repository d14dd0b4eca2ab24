import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, delay, systemClock } from '@isthmus/core';
import type { EtcdKvStore } from '@isthmus/kvstore';
import { clusterFiles, Lab, MESH_ETCD_PORT } from '@isthmus/lab';
import { cacheLayout, RECORD_KINDS, SYNCED_PREFIX } from '@isthmus/mesh';
import { stringify } from 'yaml';
import { BENCH_NOT_ARRIVED } from '../bench.errors.ts';
import { clientConfig, etcdClient } from './etcd-client.ts';
import { announcement, beat, putAll } from './publish.ts';
import { type MadeUpCluster, recordPairs } from './remote-records.ts';
import { stayInNamespace } from './stay-in-namespace.ts';

const [LAB, TOPOLOGY] = ['bench', 'pair'];
const BEAT_MS = 30_000;
const LOOK_MS = 20;
const ARRIVAL_TIMEOUT_MS = 120_000;

/**
 * A cluster whose apiserver mirrors remote clusters that the benchmark has made up in another etcd. Both clusters have their etcds and
 * control planes and no agents; the one that is mirrored has its apiserver stopped, which would remove what it has not written.
 */
export class MirrorLab {
  readonly lab: Lab;
  /** The etcd that is mirrored. */
  readonly remote: EtcdKvStore;
  /** The etcd that is mirrored into. */
  readonly cache: EtcdKvStore;
  readonly #leave: () => void;
  readonly #beating: NodeJS.Timeout;
  #published: readonly MadeUpCluster[] = [];

  private constructor(lab: Lab, leave: () => void) {
    this.lab = lab;
    this.#leave = leave;
    this.remote = etcdClient(lab.cluster('west'), MESH_ETCD_PORT);
    this.cache = etcdClient(lab.cluster('east'), MESH_ETCD_PORT);
    // Without a heartbeat a cluster would count as out of reach after two minutes. A missed one shows in the result.
    this.#beating = setInterval(() => void this.#beat().catch(() => undefined), BEAT_MS);
  }

  /** Brings it up. What an earlier run left is removed first. */
  static async open(progress: (line: string) => void): Promise<MirrorLab> {
    await Lab.down(LAB);
    const lab = await Lab.up(TOPOLOGY, { name: LAB, progress, through: 'control' });
    await lab.processes.stop('west/apiserver');
    return new MirrorLab(lab, stayInNamespace(lab.cluster('east').control.netns));
  }

  /** Removes everything, also what was opened half way. */
  static async remove(opened: MirrorLab | undefined): Promise<void> {
    opened?.close();
    await Lab.down(LAB);
  }

  /** Writes all records of these clusters into the remote etcd. */
  async publish(clusters: readonly MadeUpCluster[]): Promise<void> {
    for (const cluster of clusters) {
      await putAll(this.remote, recordPairs(cluster));
      await putAll(this.remote, announcement(cluster, systemClock.wall()));
    }
    this.#published = clusters;
  }

  /** Has these clusters mirrored. Answers the seconds until each is announced as complete in every kind. @throws CodedError BENCH_NOT_ARRIVED */
  async mirror(clusters: readonly MadeUpCluster[]): Promise<number> {
    const missing = new Set(clusters.flatMap(({ name }) => RECORD_KINDS.map((kind) => cacheLayout(kind, name).canary)));
    const stop = new AbortController();
    const late = setTimeout(() => stop.abort(), ARRIVAL_TIMEOUT_MS);
    let started = 0;
    for await (const { kind, events } of this.cache.watch(`${SYNCED_PREFIX}/`, { signal: stop.signal })) {
      if (kind === 'created') started = this.#configure(clusters);
      for (const { type, entry } of events) if (type === 'put') missing.delete(entry.key);
      if (missing.size === 0) break;
    }
    clearTimeout(late);
    const [first] = missing;
    if (first !== undefined)
      throw new CodedError(BENCH_NOT_ARRIVED, `${missing.size} canaries were not written, among them ${first}`, { object: first });
    return (performance.now() - started) / 1000;
  }

  /** Has them mirrored no more, and waits until none of their records is left. @throws CodedError BENCH_NOT_ARRIVED */
  async forget(clusters: readonly MadeUpCluster[]): Promise<void> {
    for (const { name } of clusters) rmSync(join(this.#folder, name));
    const until = performance.now() + ARRIVAL_TIMEOUT_MS;
    const prefixes = clusters.flatMap(({ name }) => RECORD_KINDS.map((kind) => cacheLayout(kind, name).prefix));
    for (const prefix of prefixes)
      while (await this.#any(prefix)) {
        if (performance.now() > until) throw new CodedError(BENCH_NOT_ARRIVED, `records under ${prefix} do not go`, { object: prefix });
        await delay(systemClock, LOOK_MS);
      }
  }

  /** Gives the space of what was deleted back, so that rounds are alike. */
  async compact(): Promise<void> {
    const { revision } = await this.cache.status();
    await this.cache.maintenance.compact(revision, { timeoutMs: ARRIVAL_TIMEOUT_MS });
  }

  /** Processes that work for it. */
  pids(): number[] {
    return this.lab.processes.list().map(({ pid }) => pid);
  }

  close(): void {
    clearInterval(this.#beating);
    this.remote.close();
    this.cache.close();
    this.#leave();
  }

  get #folder(): string {
    return clusterFiles(this.lab.cluster('east')).clustermesh;
  }

  #configure(clusters: readonly MadeUpCluster[]): number {
    const { endpoints, trustedCaFile, certFile, keyFile } = clientConfig(this.lab.cluster('west'), MESH_ETCD_PORT);
    const text = stringify({ endpoints, 'trusted-ca-file': trustedCaFile, 'cert-file': certFile, 'key-file': keyFile });
    mkdirSync(this.#folder, { recursive: true });
    const started = performance.now();
    for (const { name } of clusters) {
      writeFileSync(join(this.#folder, `..${name}`), text);
      renameSync(join(this.#folder, `..${name}`), join(this.#folder, name));
    }
    return started;
  }

  async #any(prefix: string): Promise<boolean> {
    for await (const { entries } of this.cache.list(prefix, { pageSize: 1 })) return entries.length > 0;
    return false;
  }

  async #beat(): Promise<void> {
    const now = systemClock.wall();
    await putAll(
      this.remote,
      this.#published.map((cluster) => beat(cluster, now)),
    );
  }
}
