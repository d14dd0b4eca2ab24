import type { TunnelProtocol } from '@isthmus/model';
import { type Feature, type Finding, missing, present, unknown } from './feature.ts';
import type { Host } from './host.ts';

/** How packets will get to other nodes. */
export interface PlannedTunnel {
  readonly protocol: TunnelProtocol;
  /** UDP port. */
  readonly port: number;
}

/** What the kernel must have to reach other nodes. */
export function tunnelFeatures({ protocol, port }: PlannedTunnel): readonly Feature[] {
  return [
    { name: 'veth pairs', required: true, check: (host) => device(host, 'veth', ['type', 'veth'], 'CONFIG_VETH') },
    { name: 'VXLAN with metadata', required: protocol === 'vxlan', check: vxlan },
    { name: `UDP port ${port} for the tunnel`, required: true, check: (host) => portFree(host, `isth_${protocol}`, port) },
    { name: 'IPv6', required: false, check: ipv6 },
    { name: 'GENEVE', required: false, check: geneve },
    { name: 'WireGuard', required: false, check: wireguard },
  ];
}

/** Makes a device of the kind in a namespace of its own: what a kernel says about itself is not always so. */
function device(host: Host, kind: string, type: readonly string[], option: string): Finding {
  const { status, said } = host.tryIp('link', 'add', 'probe0', ...type);
  if (status === 0) return present(`the kernel makes ${kind} devices`);
  if (status === undefined) return unknown('"ip" or "unshare" is not there', 'Install iproute2 and util-linux to find out.');
  if (/not permitted|denied/i.test(said)) return unknown(said, 'Run as root to find out.');
  return missing(
    said.replace(/^Error: /, '') || `the kernel makes no ${kind} devices`,
    `Load the module ("modprobe ${kind}"), or use a kernel with ${option}.`,
  );
}

function vxlan(host: Host): Finding {
  return device(host, 'vxlan', ['type', 'vxlan', 'external', 'dstport', '8472'], 'CONFIG_VXLAN');
}

function geneve(host: Host): Finding {
  const kernel = device(host, 'geneve', ['type', 'geneve', 'external'], 'CONFIG_GENEVE');
  return kernel.state === 'no'
    ? present('in BPF and XDP; the kernel has none. "isthmus status" shows how XDP runs on each device')
    : kernel;
}

function wireguard(host: Host): Finding {
  const kernel = device(host, 'wireguard', ['type', 'wireguard'], 'CONFIG_WIREGUARD');
  if (kernel.state === 'yes' || !host.hasProgram('wireguard-go')) return kernel;
  return present('by wireguard-go; the kernel has none');
}

function ipv6(host: Host): Finding {
  return host.exists('/proc/net/if_inet6')
    ? present('the kernel has it')
    : missing('the kernel has it not, or it is switched off', 'Boot without ipv6.disable=1, or run the agent with --enable-ipv6=false.');
}

/** The sockets of this network namespace; the kernel's own tunnel sockets are among them. */
function portFree(host: Host, ownDevice: string, port: number): Finding {
  const tables = [host.read('/proc/net/udp'), host.read('/proc/net/udp6')];
  if (tables.every((table) => table === undefined)) return unknown('/proc/net/udp cannot be read', 'Mount /proc.');
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const taken = tables.some((table) => (table ?? '').split('\n').some((line) => line.trim().split(/\s+/)[1]?.endsWith(wanted) ?? false));
  if (!taken) return present('nobody uses it');
  // A device that is down has no port: it lost it to the one that is asked about.
  const own = host.read(`/sys/class/net/${ownDevice}/operstate`)?.trim();
  if (own !== undefined && own !== 'down') return present(`${ownDevice} uses it`);
  return missing('somebody else uses it', `Find out who with "ss -ulpn sport = :${port}", or set another tunnel-port on all nodes.`);
}
