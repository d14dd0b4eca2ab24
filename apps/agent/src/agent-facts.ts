import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkPodMtu, wireguardMtu } from '@isthmus/crypto';
import type { MaxConnectedClusters } from '@isthmus/mesh';
import { type Config, type RoutingModeName, type TunnelProtocol, tunnelPort } from '@isthmus/model';
import { parseMac } from '@isthmus/net';
import { findUnderlay, type NodeUnderlay } from './node/node-addresses.ts';

/** Bytes that a tunnel adds to a packet: outer IP, UDP, VXLAN or GENEVE, and inner Ethernet headers. GENEVE goes without options. */
const TUNNEL_OVERHEAD = { 4: 50, 6: 70 } as const;

/** Everything about this node that does not change while the agent runs. */
export interface AgentFacts {
  readonly cluster: string;
  readonly clusterId: number;
  readonly maxConnectedClusters: MaxConnectedClusters;
  readonly node: string;
  readonly underlay: NodeUnderlay;
  /** Address under which other nodes know this one. */
  readonly hostIp: string;
  readonly podMtu: number;
  /** Of the WireGuard devices; 0 where there are none. */
  readonly wireguardMtu: number;
  readonly routingMode: RoutingModeName;
  readonly routerId: string;
  readonly tunnelProtocol: TunnelProtocol;
  readonly tunnelPort: number;
  readonly bootId: string;
  readonly bpfObjectDir: string;
}

/** Finds them. @throws CodedError NODE_DEVICE_UNKNOWN, WIREGUARD_MTU */
export function agentFacts(config: Config): AgentFacts {
  const underlay = findUnderlay(config);
  const hostIp = underlay.ipv4 || underlay.ipv6;
  const routingMode = config['routing-mode'];
  return {
    cluster: config['cluster-name'],
    clusterId: config['cluster-id'],
    maxConnectedClusters: Number(config['max-connected-clusters']) as MaxConnectedClusters,
    node: config['node-name'] || hostname(),
    underlay,
    hostIp,
    ...mtus(config, underlay, hostIp.includes(':') ? 6 : 4),
    routingMode,
    routerId: routerIdOf(underlay),
    tunnelProtocol: config['tunnel-protocol'],
    tunnelPort: tunnelPort(config),
    bootId: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
    bpfObjectDir: config['bpf-object-dir'] || builtObjects(),
  };
}

/** A packet of a pod must fit into all that may be put around it: with WireGuard around the tunnel. */
function mtus(config: Config, underlay: NodeUnderlay, family: 4 | 6): Pick<AgentFacts, 'podMtu' | 'wireguardMtu'> {
  const wireguard = config['enable-wireguard'] ? wireguardMtu(underlay.mtu, family) : 0;
  const podMtu = (wireguard || underlay.mtu) - (config['routing-mode'] === 'native' ? 0 : TUNNEL_OVERHEAD[family]);
  if (config['enable-wireguard'] && config['enable-ipv6']) checkPodMtu(podMtu, underlay.devices[0]?.name ?? '');
  return { podMtu, wireguardMtu: wireguard };
}

/** Where `make build` puts the compiled objects. */
function builtObjects(): string {
  return join(dirname(fileURLToPath(import.meta.url)), '../../../bpf/build');
}

/** The node's IPv4 address; without one the last 32 bits of its device's Ethernet address, as Cilium has it. */
function routerIdOf({ ipv4, devices }: NodeUnderlay): string {
  return ipv4 || (parseMac(devices[0]?.mac ?? '')?.bytes ?? new Uint8Array([0, 0, 0, 0, 0, 1])).slice(-4).join('.');
}
