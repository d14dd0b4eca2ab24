import { input, type Store, type Table } from '@isthmus/core';
import { matchesSelector } from '@isthmus/model';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';
import type { BgpClusterConfigRow } from './bgp-rows.ts';

/** Which cluster configs select a node. Key: the node's name. */
export interface BgpSelection {
  /** The one that the node follows: the first by name. */
  readonly config: string;
  /** Further ones, by name, which have no effect on this node. */
  readonly others: readonly string[];
}

/** Declares the table of nodes that cluster configs select. */
export function declareBgpSelections(
  store: Store,
  nodes: Table<OperatorNodeRow>,
  configs: Table<BgpClusterConfigRow>,
): Table<BgpSelection> {
  function* allNodes(): Iterable<string> {
    for (const [name] of nodes.rows()) yield name;
  }
  return store.derive<BgpSelection>({
    name: 'bgp-selections',
    inputs: [input(nodes, (key) => [key]), input(configs, allNodes)],
    compute: (key) => {
      const node = nodes.get(key);
      if (!node) return undefined;
      const [config, ...others] = [...configs.rows()]
        .filter(([, { nodeSelector }]) => nodeSelector === undefined || matchesSelector(nodeSelector, node.labels))
        .map(([name]) => name)
        .sort();
      return config === undefined ? undefined : { config, others };
    },
  });
}
