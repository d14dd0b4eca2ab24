import { LOG, type Log, type Table } from '@isthmus/core';
import { nodeKeysPrefix } from '@isthmus/crypto';
import type { KvStore } from '@isthmus/kvstore';
import { stateLayout } from '@isthmus/mesh';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';
import { TwoPassSweep, type Unused } from './two-pass-sweep.ts';

/** What {@link NodeGc} works with. */
export interface NodeGcOptions {
  kv: KvStore;
  cluster: string;
  /** Must be complete. */
  nodes: Table<OperatorNodeRow>;
  log: Log;
}

/** Removes records of nodes of the own cluster, and of their WireGuard keys, that have had no CiliumNode for two passes. */
export class NodeGc {
  readonly #options: NodeGcOptions;
  readonly #sweep = new TwoPassSweep();

  constructor(options: NodeGcOptions) {
    this.#options = options;
  }

  /** One pass. @returns how many records were removed */
  async pass(): Promise<number> {
    const { kv, cluster, nodes } = this.#options;
    const orphans: Unused[] = [];
    for (const prefix of [stateLayout('nodes', cluster).prefix, nodeKeysPrefix(cluster)])
      for await (const { entries } of kv.list(prefix))
        for (const { key, modRevision } of entries) if (!nodes.has(nodeOf(key))) orphans.push({ key, modRevision });
    let removed = 0;
    for (const orphan of this.#sweep.pass(orphans)) if (await this.#remove(orphan)) removed++;
    return removed;
  }

  async #remove({ key, modRevision }: Unused): Promise<boolean> {
    const { kv, nodes, log } = this.#options;
    const node = nodeOf(key);
    if (nodes.has(node)) return false;
    const { succeeded } = await kv.txn({ compare: [{ key, modRevision }], success: [{ type: 'delete', key }] });
    if (succeeded) log.info({ [LOG.node]: node }, 'removed the record of a node that is gone');
    return succeeded;
  }
}

/** The node's name stands last in the keys of its records. */
function nodeOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}
