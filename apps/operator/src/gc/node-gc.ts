import { LOG, type Log, type Table } from '@isthmus/core';
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

interface Orphan extends Unused {
  readonly node: string;
}

/** What there is a record of for every node. */
const KINDS = ['nodes', 'wireguard'] as const;

/** Removes records of nodes of the own cluster, and of their keys, that have had no CiliumNode for two passes. */
export class NodeGc {
  readonly #options: NodeGcOptions;
  readonly #sweep = new TwoPassSweep();

  constructor(options: NodeGcOptions) {
    this.#options = options;
  }

  /** One pass. @returns how many records were removed */
  async pass(): Promise<number> {
    const { kv, cluster, nodes } = this.#options;
    const orphans: Orphan[] = [];
    for (const kind of KINDS) {
      const { prefix } = stateLayout(kind, cluster);
      for await (const { entries } of kv.list(prefix))
        for (const { key, modRevision } of entries) {
          const node = key.slice(prefix.length);
          if (!nodes.has(node)) orphans.push({ key, modRevision, node });
        }
    }
    let removed = 0;
    for (const orphan of this.#sweep.pass(orphans)) if (await this.#remove(orphan)) removed++;
    return removed;
  }

  async #remove({ key, modRevision, node }: Orphan): Promise<boolean> {
    const { kv, nodes, log } = this.#options;
    if (nodes.has(node)) return false;
    const { succeeded } = await kv.txn({ compare: [{ key, modRevision }], success: [{ type: 'delete', key }] });
    if (succeeded) log.info({ [LOG.node]: node, [LOG.key]: key }, 'removed a record of a node that is gone');
    return succeeded;
  }
}
