import { input, type Store, type Table, type TableIndex } from '@isthmus/core';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';
import { type BgpMember, type BgpNodeConfigRow, bgpNodeConfig, hasNodeMesh } from './bgp-node-config-row.ts';
import type { BgpClusterConfigRow, BgpOverrideRow } from './bgp-rows.ts';
import type { BgpSelection } from './bgp-selection.ts';

/** What node configs are derived from. */
export interface BgpNodeConfigInputs {
  readonly nodes: Table<OperatorNodeRow>;
  readonly configs: Table<BgpClusterConfigRow>;
  readonly overrides: Table<BgpOverrideRow>;
  readonly selections: Table<BgpSelection>;
}

/** Declares the table of all node configs that should be. In a mesh, what a node says of itself concerns all nodes that follow its config. */
export function declareBgpNodeConfigs(store: Store, inputs: BgpNodeConfigInputs): Table<BgpNodeConfigRow> {
  const { nodes, configs, overrides, selections } = inputs;
  const followers: TableIndex<BgpSelection> = selections.index('config', ({ config }) => [config]);

  function* withMesh(node: string, names: Iterable<string | undefined>): Iterable<string> {
    yield node;
    for (const name of names) {
      const config = name === undefined ? undefined : configs.get(name);
      if (config && hasNodeMesh(config)) yield* followers.get(config.name);
    }
  }

  function member(name: string): BgpMember | undefined {
    const node = nodes.get(name);
    return node && { node, override: overrides.get(name) };
  }

  return store.derive<BgpNodeConfigRow>({
    name: 'bgp-node-configs',
    inputs: [
      input(configs, (key) => followers.get(key)),
      input(selections, (key, row, before) => withMesh(key, [row?.config, before?.config])),
      input(nodes, (key, row, before) => (seenAlike(row, before) ? [] : withMesh(key, [selections.get(key)?.config]))),
      input(overrides, (key) => withMesh(key, [selections.get(key)?.config])),
    ],
    compute: (key) => {
      const own = member(key);
      const config = configs.get(selections.get(key)?.config ?? '');
      if (!own || !config) return undefined;
      return bgpNodeConfig(config, own, () =>
        [...followers.get(config.name)]
          .filter((name) => name !== key)
          .sort()
          .flatMap((name) => member(name) ?? []),
      );
    },
  });
}

/** Whether a change of a node, such as of its pod CIDRs, concerns no BGP configuration. */
function seenAlike(row: OperatorNodeRow | undefined, before: OperatorNodeRow | undefined): boolean {
  const seen = (node: OperatorNodeRow | undefined): string => JSON.stringify(node && [node.labels, node.internalIps]);
  return seen(row) === seen(before);
}
