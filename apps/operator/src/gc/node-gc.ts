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

/** Removes node records of the own cluster that have had no CiliumNode for two passes. */
export class NodeGc {
  readonly #options: NodeGcOptions;
  readonly #sweep = new TwoPassSweep();

  constructor(options: NodeGcOptions) {
    this.#options = options;
  }

  /** One pass. @returns how many records were removed */
  async pass(): Promise<number> {
    const { kv, cluster, nodes } = this.#options;
    const { prefix } = stateLayout('nodes', cluster);
    const orphans: Unused[] = [];
    for await (const { entries } of kv.list(prefix))
      for (const { key, modRevision } of entries) if (!nodes.has(key.slice(prefix.length))) orphans.push({ key, modRevision });
    let removed = 0;
    for (const orphan of this.#sweep.pass(orphans)) if (await this.#remove(orphan, prefix)) removed++;
    return removed;
  }

  async #remove({ key, modRevision }: Unused, prefix: string): Promise<boolean> {
    const { kv, nodes, log } = this.#options;
    const node = key.slice(prefix.length);
    if (nodes.has(node)) return false;
    const { succeeded } = await kv.txn({ compare: [{ key, modRevision }], success: [{ type: 'delete', key }] });
    if (succeeded) log.info({ [LOG.node]: node }, 'removed the record of a node that is gone');
    return succeeded;
  }
}
