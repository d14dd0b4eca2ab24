import { isIPv6 } from 'node:net';
import type { PeerPlace } from '@isthmus/crypto';
import type { NodeRow } from '@isthmus/model';

/**
 * Where a node is listened for and what may come from it: its own addresses and its pods'. Nothing else is taken from it, so that no node can send for
 * another one's pods.
 * @param family of the addresses between nodes
 * @returns undefined for a node without an address of the family
 */
export function placeOfNode(node: NodeRow, family: 4 | 6): PeerPlace | undefined {
  const address = node.internalIps.find((ip) => isIPv6(ip) === (family === 6));
  if (address === undefined) return undefined;
  const own = [...new Set([...node.internalIps, ...node.hostIps])].map((ip) => `${ip}/${isIPv6(ip) ? 128 : 32}`);
  return { address, allowedIps: [...new Set([...own, ...node.podCidrs])].sort() };
}
