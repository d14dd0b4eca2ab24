import type { Cancel, Clock, Random } from '@isthmus/core';
import { type KvStore, type MirrorChange, mirrorPrefix, type RelistReason } from '@isthmus/kvstore';
import { CLUSTER_CONFIG_PREFIX, HEARTBEAT_KEY, SYNCED_PREFIX } from '@isthmus/mesh';

/** How long deviations are collected before they are mended: two writers that disagree must not write without pause. Milliseconds. */
const MEND_AFTER_MS = 1_000;

/** What a {@link MeshEtcdWatch} watches, and whom it tells. */
export interface MeshEtcdWatchOptions {
  kv: KvStore;
  clock: Clock;
  random: Random;
  /** The value that a leased key should have; undefined when the key is not ours. */
  wanted(key: string): string | undefined;
  /** A leased key is not as wanted: somebody else wrote or removed it. */
  onDeviation(): void;
  /** The etcd may not hold what was written: it was wiped, restored from a copy, or its history is gone (`compacted`). */
  onReplaced(reason: RelistReason): void;
  onConnected(): void;
  onDisconnected(error: unknown): void;
}

/** Watches the leased keys of the own mesh etcd: they are few, and the heartbeat changes every minute, so that a new store looks new. */
export class MeshEtcdWatch {
  readonly #options: MeshEtcdWatchOptions;
  #mending: Cancel | undefined;

  constructor(options: MeshEtcdWatchOptions) {
    this.#options = options;
  }

  /** Watches until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const prefixes = [HEARTBEAT_KEY, `${CLUSTER_CONFIG_PREFIX}/`, `${SYNCED_PREFIX}/`];
    await Promise.all(prefixes.map((prefix) => this.#follow(prefix, signal)));
    this.#mending?.();
  }

  #follow(prefix: string, signal: AbortSignal): Promise<void> {
    const { kv, clock, random, onReplaced, onConnected, onDisconnected } = this.#options;
    const onBatch = (changes: readonly MirrorChange[]): void => {
      if (changes.some((change) => this.#deviates(change))) this.#mendLater();
    };
    if (prefix !== HEARTBEAT_KEY) return mirrorPrefix(kv, { prefix, clock, random, signal, onBatch });
    return mirrorPrefix(kv, { prefix, clock, random, signal, onBatch, onDisconnected, onSynced: onConnected, onRelist: onReplaced });
  }

  #deviates({ key, value }: MirrorChange): boolean {
    const wanted = this.#options.wanted(key);
    return wanted !== undefined && (value === undefined || !Buffer.from(wanted).equals(value));
  }

  #mendLater(): void {
    this.#mending ??= this.#options.clock.after(MEND_AFTER_MS, () => {
      this.#mending = undefined;
      this.#options.onDeviation();
    });
  }
}
