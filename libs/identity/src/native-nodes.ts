import { input, type Store, type Table } from '@isthmus/core';
import type { LearnedRouteRow, NativeNodeRow, NodeRow } from '@isthmus/model';
import { Cidr, parseCidr } from '@isthmus/net';
import { CidrRanges } from './cidr-ranges.ts';

/**
 * Declares the table of nodes that learned routes lead to without a tunnel: a route that is no default covers each of the node's pod CIDRs in
 * full. Key: that of the node.
 * @param learned routes that are wanted
 * @param installed those of them that the kernel has: it may refuse one, or drop it with its device
 */
export function declareNativeNodes(
  store: Store,
  nodes: readonly Table<NodeRow>[],
  learned: Table<LearnedRouteRow>,
  installed: Table<true>,
): Table<NativeNodeRow> {
  const affected = (prefix: string): string[] => ranges.flatMap((each) => each.within(prefix));
  const ranges = nodes.map((table) => new CidrRanges(table, (row) => row.podCidrs));
  return store.derive<NativeNodeRow>({
    name: 'native-nodes',
    inputs: [...nodes.map((table) => input(table, (key) => [key])), input(learned, affected), input(installed, affected)],
    compute: (key) => {
      const node = nodes.map((table) => table.get(key)).find((row) => row !== undefined);
      if (node === undefined || node.podCidrs.length === 0) return undefined;
      if (!node.podCidrs.every((cidr) => isCovered(cidr, (prefix) => learned.has(prefix) && installed.has(prefix)))) return undefined;
      const { cluster, clusterId, name } = node;
      return { cluster, clusterId, name };
    },
  });
}

/** Whether one route leads to all of a network. A default route leads to everything and says nothing about it. */
function isCovered(text: string, isUsable: (prefix: string) => boolean): boolean {
  const cidr = parseCidr(text);
  if (cidr === undefined) return false;
  for (let length = cidr.length; length > 0; length--) if (isUsable(new Cidr(cidr.address, length).toString())) return true;
  return false;
}
