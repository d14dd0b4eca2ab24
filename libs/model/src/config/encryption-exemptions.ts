import { KEY_EXCHANGE_PORT, WIREGUARD_PORTS } from './wireguard-ports.ts';

/** Packets between nodes that are never encrypted, by the port of either side. */
export interface EncryptionExemption {
  readonly protocol: 'TCP' | 'UDP';
  readonly ports: readonly number[];
  /** What they are for, in a few words. */
  readonly purpose: string;
}

/**
 * What nodes send each other as it is even where their own packets are encrypted, besides IPv6's neighbour discovery: it must get through before
 * they have keys, and says who it is itself. Agents add the ports of what they connect to: their etcds and join API. Never for pods.
 */
export const ENCRYPTION_EXEMPTIONS: readonly EncryptionExemption[] = [
  { protocol: 'UDP', ports: [WIREGUARD_PORTS.even, WIREGUARD_PORTS.odd], purpose: 'WireGuard itself' },
  { protocol: 'TCP', ports: [KEY_EXCHANGE_PORT], purpose: 'preshared keys, over TLS' },
  { protocol: 'UDP', ports: [67, 68, 546, 547], purpose: 'DHCP' },
  { protocol: 'TCP', ports: [179], purpose: 'BGP' },
  { protocol: 'UDP', ports: [3784, 3785, 4784], purpose: 'BFD' },
];
