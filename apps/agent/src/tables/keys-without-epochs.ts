import { parsePublicKey } from '@isthmus/crypto';
import { compareBytes } from '@isthmus/mesh';
import type { NodeRow } from '@isthmus/model';

/**
 * The keys of nodes that know of no epochs, by `<cluster>/<node>`: those of Cilium say one in their node record. Keys that somebody has already are
 * nobody's else; of two that claim the same one the first in the order of names has it.
 * @param taken keys of those who know of epochs, this node included
 */
export function keysWithoutEpochs(nodes: Iterable<readonly [name: string, row: NodeRow]>, taken: Iterable<string>): Map<string, string> {
  const used = new Set(taken);
  const keys = new Map<string, string>();
  const candidates = [...nodes].filter(([, { hasEpochs, wireguardPublicKey }]) => !hasEpochs && wireguardPublicKey !== '');
  for (const [name, row] of candidates.sort(([a], [b]) => compareBytes(a, b))) {
    const key = parsePublicKey(row.wireguardPublicKey);
    if (key === undefined || used.has(key)) continue;
    used.add(key);
    keys.set(name, key);
  }
  return keys;
}
