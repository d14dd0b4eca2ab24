import { CodedError } from '@isthmus/core';
import type { WireGuardTargetRow } from '@isthmus/model';
import { recordScope, STATE_PREFIX, stateLayout, wireGuardTargetKey } from '../keys.ts';
import { decodeByKey } from '../own-record.ts';
import { decodeWireGuard } from '../wireguard.codec.ts';
import { decodeWireGuardTarget, encodeWireGuardTarget } from '../wireguard-target.codec.ts';
import { decodeHistory, type TargetChange, withChange } from './target-history.ts';
import { WIREGUARD_TARGET } from './wireguard-targets.errors.ts';
import type { NodeKeys, WireGuardTargets } from './wireguard-targets.ts';

/** What the keys of all clusters' targets begin with. */
const TARGETS_PREFIX = `${STATE_PREFIX}/${recordScope('wireguardtargets')}/`;

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
    for await (const { entries } of kv.list(TARGETS_PREFIX))
      for (const { key, value } of entries) found.push(readTarget(key, value).cluster);
    const [cluster, other] = found;
    if (other === undefined) return cluster === undefined ? undefined : new KvWireGuardTargets(kv, cluster);
    throw new CodedError(WIREGUARD_TARGET, `there are targets of ${found.join(' and ')}`, {
      object: TARGETS_PREFIX,
      action: 'Delete the keys under it of clusters that this etcd does not belong to.',
    });
  }

  async read(): Promise<WireGuardTargetRow | undefined> {
    const key = wireGuardTargetKey(this.#cluster);
    const entry = await this.#kv.get(key);
    return entry && readTarget(key, entry.value);
  }

  async raise(from: WireGuardTargetRow | undefined, to: WireGuardTargetRow): Promise<boolean> {
    const key = wireGuardTargetKey(this.#cluster);
    const [target, history] = await Promise.all([this.#kv.get(key), this.#kv.get(TARGET_HISTORY_KEY)]);
    if ((target && readTarget(key, target.value))?.target !== from?.target) return false;
    const value = encodeWireGuardTarget(to);
    readTarget(key, Buffer.from(value)); // What nobody could read is not written.
    const changes = withChange(decodeHistory(history?.value), to);
    const { succeeded } = await this.#kv.txn({
      compare: [
        { key, modRevision: target?.modRevision ?? 0 },
        { key: TARGET_HISTORY_KEY, modRevision: history?.modRevision ?? 0 },
      ],
      success: [
        { type: 'put', key, value },
        { type: 'put', key: TARGET_HISTORY_KEY, value: JSON.stringify(changes) },
      ],
    });
    return succeeded;
  }

  async history(): Promise<readonly TargetChange[]> {
    return decodeHistory((await this.#kv.get(TARGET_HISTORY_KEY))?.value);
  }

  async nodes(): Promise<ReadonlyMap<string, NodeKeys>> {
    const { prefix } = stateLayout('wireguard', this.#cluster);
    const nodes = new Map<string, NodeKeys>();
    for await (const { entries } of this.#kv.list(prefix))
      for (const { key, value } of entries) nodes.set(key.slice(prefix.length), nodeKeys(key, value));
    return nodes;
  }
}

function readTarget(key: string, bytes: Uint8Array): WireGuardTargetRow {
  const read = decodeByKey(key, bytes, decodeWireGuardTarget);
  if (read.ok) return read.value;
  throw new CodedError(WIREGUARD_TARGET, `the target cannot be read: ${read.reason}`, { object: key });
}

function nodeKeys(key: string, bytes: Uint8Array): NodeKeys {
  const read = decodeByKey(key, bytes, decodeWireGuard);
  if (!read.ok) return { epoch: 0, blockedBy: [] };
  const { epochs, blockedBy = [], wanted } = read.value;
  return { epoch: epochs.at(-1)?.epoch ?? 0, blockedBy, ...(wanted && { wanted }) };
}
