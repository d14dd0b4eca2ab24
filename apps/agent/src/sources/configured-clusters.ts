import { Backoff, type Clock, delay, Notifier, type Random } from '@isthmus/core';
import { type KvStore, type MirrorChange, mirrorPrefix } from '@isthmus/kvstore';
import { type ConfiguredCluster, decodeConfiguredCluster, ISTHMUS_CLUSTERS_PREFIX, isthmusClustersCanaryKey } from '@isthmus/mesh';

/** What is followed, and who hears of it. Callbacks must not throw. */
export interface ConfiguredClustersOptions {
  /** The mesh etcd. */
  readonly kv: KvStore;
  readonly ownCluster: string;
  readonly clock: Clock;
  readonly random: Random;
  /** A cluster is configured, or is so in another way: its number may be 0, which is not known yet. */
  readonly onConfigured: (cluster: string, as: ConfiguredCluster) => void;
  /** A cluster is configured no more, for certain. */
  readonly onRemoved: (cluster: string) => void;
  /** Every configured cluster has been told of. Once. */
  readonly onComplete: () => void;
  readonly onDisconnected: (error: unknown) => void;
}

const PREFIX = `${ISTHMUS_CLUSTERS_PREFIX}/`;
const RETRY = { minMs: 250, maxMs: 15_000 };

/**
 * The remote clusters that are configured, out of the mesh etcd. A cluster that leaves the list counts as removed only when the list was read
 * while its mark stood: an etcd that was wiped has neither, and would otherwise take every cluster away.
 */
export class ConfiguredClusters {
  readonly #options: ConfiguredClustersOptions;
  readonly #mark: string;
  readonly #changed = new Notifier();
  readonly #configured = new Set<string>();
  /** Left the list; not believed yet. */
  readonly #missing = new Set<string>();
  #synced = false;
  #marked = false;
  #complete = false;
  #look = false;

  constructor(options: ConfiguredClustersOptions) {
    this.#options = options;
    this.#mark = isthmusClustersCanaryKey(options.ownCluster);
  }

  /** Whether it is known which clusters there are. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Follows list and mark until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { kv, clock, random, onDisconnected } = this.#options;
    const common = { clock, random, signal, onDisconnected };
    await Promise.all([
      mirrorPrefix(kv, { ...common, prefix: PREFIX, onBatch: (changes) => this.#listed(changes), onSynced: () => this.#listSynced() }),
      mirrorPrefix(kv, { ...common, prefix: this.#mark, onBatch: (changes) => this.#markChanged(changes) }),
      this.#confirm(signal),
    ]);
  }

  #listed(changes: readonly MirrorChange[]): void {
    for (const { name: cluster, value } of changes) {
      if (value) this.#add(cluster, value);
      else if (this.#configured.has(cluster)) this.#missing.add(cluster);
    }
    this.#wake();
  }

  #add(cluster: string, value: Uint8Array): void {
    const entry = decodeConfiguredCluster(value);
    this.#configured.add(cluster);
    this.#missing.delete(cluster);
    this.#options.onConfigured(cluster, entry.ok ? entry.value : { id: 0, caBundle: '' });
  }

  #listSynced(): void {
    this.#synced = true;
    this.#wake();
  }

  #markChanged(changes: readonly MirrorChange[]): void {
    for (const { key, value } of changes) if (key === this.#mark) this.#marked = value !== undefined;
    this.#wake();
  }

  #wake(): void {
    this.#look = true;
    this.#changed.notify();
  }

  /** Looks again whenever something has changed, for as long as something is not certain. */
  async #confirm(signal: AbortSignal): Promise<void> {
    const { clock, random, onDisconnected } = this.#options;
    const backoff = new Backoff(RETRY, random);
    const due = (): boolean => this.#look && this.#synced && this.#marked && (!this.#complete || this.#missing.size > 0);
    while (!signal.aborted) {
      await this.#changed.until(due, signal).catch(() => undefined); // rejects only by abort
      if (signal.aborted) return;
      this.#look = false;
      try {
        await this.#read(signal);
        backoff.reset();
      } catch (error) {
        this.#look = true;
        onDisconnected(error);
        await delay(clock, backoff.next(), signal).catch(() => undefined);
      }
    }
  }

  /** Reads the list, then its mark: one that is older than the reading stood over it. */
  async #read(signal: AbortSignal): Promise<void> {
    const { kv } = this.#options;
    const listed = new Set<string>();
    let revision = 0;
    for await (const page of kv.list(PREFIX, { signal })) {
      for (const { key } of page.entries) listed.add(key.slice(PREFIX.length));
      revision = page.revision;
    }
    const mark = await kv.get(this.#mark, { signal });
    // Without it, wait for it; with a newer one, read again.
    if (!mark) return;
    if (mark.modRevision > revision) this.#look = true;
    else this.#believe(listed);
  }

  #believe(listed: ReadonlySet<string>): void {
    for (const cluster of [...this.#missing]) {
      if (listed.has(cluster)) continue;
      this.#missing.delete(cluster);
      this.#configured.delete(cluster);
      this.#options.onRemoved(cluster);
    }
    // What the reading shows and the mirror has not told yet, it will tell.
    if (this.#complete || [...listed].some((cluster) => !this.#configured.has(cluster))) return;
    this.#complete = true;
    this.#options.onComplete();
  }
}
