import { input, type Store, type Table } from '@isthmus/core';
import type { OperatorNodeRow } from '../pod-cidrs/node-row.ts';
import { type BgpMember, type BgpMembers, type BgpNodeConfigRow, bgpNodeConfig, hasNodeMesh } from './bgp-node-config-row.ts';
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
  const followers = selections.index('config', ({ config }) => [config]);
  const configOf = (node: string): string[] => [selections.get(node)?.config ?? []].flat();

  function member(name: string): BgpMember | undefined {
    const node = nodes.get(name);
    return node && { node, override: overrides.get(name) };
  }

  const meshes = store.derive<BgpMembers>({
    name: 'bgp-meshes',
    inputs: [
      input(configs, (key) => [key]),
      input(selections, (_, row, before) => [row, before].flatMap((each) => each?.config ?? [])),
      input(nodes, (key, row, before) => (seenAlike(row, before) ? [] : configOf(key))),
      input(overrides, configOf),
    ],
    compute: (key) => {
      const config = configs.get(key);
      if (!config || !hasNodeMesh(config)) return undefined;
      return { members: [...followers.get(key)].sort().flatMap((name) => member(name) ?? []) };
    },
  });
  return store.derive<BgpNodeConfigRow>({
    name: 'bgp-node-configs',
    inputs: [
      input(configs, (key) => followers.get(key)),
      input(selections, (key) => [key]),
      input(nodes, (key, row, before) => (seenAlike(row, before) ? [] : [key])),
      input(overrides, (key) => [key]),
      input(meshes, (key) => followers.get(key)),
    ],
    compute: (key) => {
      const own = member(key);
      const config = configs.get(selections.get(key)?.config ?? '');
      return own && config && bgpNodeConfig(config, own, meshes.get(config.name));
    },
  });
}

/** Whether a change of a node, such as of its pod CIDRs, concerns no BGP configuration. */
function seenAlike(row: OperatorNodeRow | undefined, before: OperatorNodeRow | undefined): boolean {
  const seen = (node: OperatorNodeRow | undefined): string => JSON.stringify(node && [node.labels, node.internalIps]);
  return seen(row) === seen(before);
}
