import type { WireGuardRow } from '@isthmus/model';
import { compareBytes } from './go-json.ts';

/**
 * What nodes say of their keys, by `<cluster>/<node>`, without those who claim a key of another one: on a device a key is one peer's. The first in
 * the order of names has it. Nodes of the own cluster come before all others: no other cluster can cut them off from each other.
 */
export function usableWireGuardRows(
  rows: Iterable<readonly [name: string, row: WireGuardRow]>,
  ownCluster: string,
): Map<string, WireGuardRow> {
  const all = new Map(rows);
  if (isEachKeyTakenOnce(all.values())) return all;
  const foreign = ({ cluster }: WireGuardRow): number => (cluster === ownCluster ? 0 : 1);
  const inOrder = [...all].sort(([a, one], [b, other]) => foreign(one) - foreign(other) || compareBytes(a, b));
  const taken = new Set<string>();
  const usable = new Map<string, WireGuardRow>();
  for (const [name, row] of inOrder) {
    if (row.epochs.some(({ publicKey }) => taken.has(publicKey))) continue;
    for (const { publicKey } of row.epochs) taken.add(publicKey);
    usable.set(name, row);
  }
  return usable;
}

/** As it is but where somebody cheats; there is nothing to put in order then, and a large mesh asks again and again. */
function isEachKeyTakenOnce(rows: Iterable<WireGuardRow>): boolean {
  const taken = new Set<string>();
  let keys = 0;
  for (const { epochs } of rows)
    for (const { publicKey } of epochs) {
      taken.add(publicKey);
      keys++;
    }
  return taken.size === keys;
}
