import type { Config } from './config-schema.ts';

/** Encapsulations between nodes. The first one is the default, here and in Cilium. */
export const TUNNEL_PROTOCOLS = ['vxlan', 'geneve'] as const;
/** One of {@link TUNNEL_PROTOCOLS}. */
export type TunnelProtocol = (typeof TUNNEL_PROTOCOLS)[number];

/** What Linux and Cilium use for VXLAN, and what IANA has for GENEVE. */
const DEFAULT_PORTS: Readonly<Record<TunnelProtocol, number>> = { vxlan: 8472, geneve: 6081 };

/** UDP port of the tunnel: as configured, or that of the protocol. */
export function tunnelPort(config: Pick<Config, 'tunnel-protocol' | 'tunnel-port'>): number {
  return config['tunnel-port'] || DEFAULT_PORTS[config['tunnel-protocol']];
}

/** How packets reach other nodes. `auto`: natively where a learned route leads to the node, through the tunnel where not. */
export const ROUTING_MODES = ['tunnel', 'native', 'auto'] as const;
/** One of {@link ROUTING_MODES}. */
export type RoutingModeName = (typeof ROUTING_MODES)[number];
