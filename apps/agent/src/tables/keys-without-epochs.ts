import { parsePublicKey } from '@isthmus/crypto';
import { compareBytes } from '@isthmus/mesh';
import type { NodeRow, WireGuardRow } from '@isthmus/model';

/**
 * The keys of nodes that know of no epochs, by `<cluster>/<node>`: those of Cilium say one in their node record. Keys that somebody has already are
 * nobody's else; of two that claim the same one the first in the order of names has it.
 * @param published what nodes say that know of epochs
 * @param own this node's keys
 */
export function keysWithoutEpochs(
  nodes: Iterable<readonly [name: string, row: NodeRow]>,
  published: ReadonlyMap<string, WireGuardRow>,
  own: Iterable<string>,
): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  const candidates = [...nodes].filter(([name, node]) => !node.hasEpochs && node.wireguardPublicKey !== '' && !published.has(name));
  if (candidates.length === 0) return keys;
  const used = new Set([...own, ...[...published.values()].flatMap(({ epochs }) => epochs.map(({ publicKey }) => publicKey))]);
  for (const [name, row] of candidates.sort(([a], [b]) => compareBytes(a, b))) {
    const key = parsePublicKey(row.wireguardPublicKey);
    if (key === undefined || used.has(key)) continue;
    used.add(key);
    keys.set(name, key);
  }
  return keys;
}
