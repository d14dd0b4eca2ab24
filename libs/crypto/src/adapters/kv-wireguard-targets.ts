import { CodedError } from '@isthmus/core';
import type { WireGuardTargetRow } from '@isthmus/model';
import type { Epoch } from '../wireguard/epoch.ts';
import { decodeHistory, type TargetChange, withChange } from '../wireguard/target/target-history.ts';
import { decodeTarget, encodeTarget, newestEpochOf, nodeKeysPrefix, TARGET_PREFIX, targetKey } from '../wireguard/target/target-record.ts';
import type { WireGuardTargets } from '../wireguard/target/wireguard-targets.ts';
import { WIREGUARD_TARGET } from '../wireguard/wireguard.errors.ts';

/** The last changes of the target. People and the operator write it, and nobody else reads it. */
export const TARGET_HISTORY_KEY = 'isthmus/encryption/history/v1';

/** What is needed of a key-value store with revisions; an absent key has revision 0. */
export interface TargetKv {
  get(key: string): Promise<{ readonly value: Uint8Array; readonly modRevision: number } | undefined>;
  list(prefix: string): AsyncIterable<{ readonly entries: readonly { readonly key: string; readonly value: Uint8Array }[] }>;
  txn(txn: {
    compare: { key: string; modRevision: number }[];
    success: { type: 'put'; key: string; value: string }[];
  }): Promise<{ readonly succeeded: boolean }>;
}

/** Targets in a cluster etcd. */
export class KvWireGuardTargets implements WireGuardTargets {
  readonly #kv: TargetKv;
  readonly #cluster: string;

  constructor(kv: TargetKv, cluster: string) {
    this.#kv = kv;
    this.#cluster = cluster;
  }

  /**
   * Those of the cluster that an etcd belongs to; undefined: it has no target.
   * @throws CodedError WIREGUARD_TARGET when there are those of several clusters
   */
  static async ofEtcd(kv: TargetKv): Promise<KvWireGuardTargets | undefined> {
    const found: string[] = [];
    for await (const { entries } of kv.list(TARGET_PREFIX))
      for (const { key, value } of entries) found.push(decodeTarget(key, value).cluster);
    const [cluster, other] = found;
    if (other === undefined) return cluster === undefined ? undefined : new KvWireGuardTargets(kv, cluster);
    throw new CodedError(WIREGUARD_TARGET, `there are targets of ${found.join(' and ')}`, {
      object: TARGET_PREFIX,
      action: 'Delete the keys under it of clusters that this etcd does not belong to.',
    });
  }

  async read(): Promise<WireGuardTargetRow | undefined> {
    const key = targetKey(this.#cluster);
    const entry = await this.#kv.get(key);
    return entry && decodeTarget(key, entry.value);
  }

  async raise(from: WireGuardTargetRow | undefined, to: WireGuardTargetRow): Promise<boolean> {
    const key = targetKey(this.#cluster);
    const [target, history] = await Promise.all([this.#kv.get(key), this.#kv.get(TARGET_HISTORY_KEY)]);
    if ((target && decodeTarget(key, target.value))?.target !== from?.target) return false;
    const changes = withChange(decodeHistory(history?.value), to);
    const { succeeded } = await this.#kv.txn({
      compare: [
        { key, modRevision: target?.modRevision ?? 0 },
        { key: TARGET_HISTORY_KEY, modRevision: history?.modRevision ?? 0 },
      ],
      success: [
        { type: 'put', key, value: encodeTarget(to) },
        { type: 'put', key: TARGET_HISTORY_KEY, value: JSON.stringify(changes) },
      ],
    });
    return succeeded;
  }

  async history(): Promise<readonly TargetChange[]> {
    return decodeHistory((await this.#kv.get(TARGET_HISTORY_KEY))?.value);
  }

  async epochs(): Promise<ReadonlyMap<string, Epoch>> {
    const prefix = nodeKeysPrefix(this.#cluster);
    const epochs = new Map<string, Epoch>();
    for await (const { entries } of this.#kv.list(prefix))
      for (const { key, value } of entries) epochs.set(key.slice(prefix.length), newestEpochOf(value));
    return epochs;
  }
}
