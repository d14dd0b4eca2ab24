import type { Lab } from '../lab.ts';
import { runCommand } from '../machine/run-command.ts';
import { encrypts } from '../node/wireguard-toolchain.ts';
import type { NodePlace } from '../topology/plan.ts';

/** Packets for which the queues of wireguard-go had no room. The kernel's own WireGuard has none that a busy machine could fill. */
export interface WireGuardDrops {
  /** What came from other nodes. */
  readonly sockets: number;
  /** What was to go to other nodes, or came decrypted. */
  readonly tuns: number;
}

interface LinkStatistics {
  readonly ifname: string;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly stats64?: Readonly<Record<'rx' | 'tx', { readonly dropped: number }>>;
}

const DEVICES = ['isth_wg_even', 'isth_wg_odd'];
const SOCKET_COUNTERS = ['RcvbufErrors', 'MemErrors'];

/**
 * What the kernel has counted on a node since it is there. Its sockets are all of the node's: the ones of a device are closed with its key, and with them go
 * their own counters.
 */
export async function wireguardDrops(lab: Lab, node: NodePlace): Promise<WireGuardDrops> {
  if (!encrypts(node)) return { sockets: 0, tuns: 0 };
  const [links, sockets] = await Promise.all([
    runCommand(['ip', '-n', node.netns, '-json', '-details', '-statistics', 'link', 'show']),
    lab.exec(node, ['cat', '/proc/net/snmp', '/proc/net/snmp6']),
  ]);
  return { sockets: socketDrops(sockets.stdout), tuns: tunDrops(JSON.parse(links) as LinkStatistics[]) };
}

function tunDrops(links: readonly LinkStatistics[]): number {
  return links
    .filter(({ ifname, linkinfo }) => DEVICES.includes(ifname) && linkinfo?.info_kind === 'tun')
    .reduce((sum, { stats64 }) => sum + (stats64?.rx.dropped ?? 0) + (stats64?.tx.dropped ?? 0), 0);
}

/** @param snmp for IPv4 a line of names and one of numbers, for IPv6 a line of each name with its number */
function socketDrops(snmp: string): number {
  const lines = snmp.split('\n').map((line) => line.trim().split(/\s+/));
  const [names = [], numbers = []] = lines.filter(([head]) => head === 'Udp:');
  const ipv4 = SOCKET_COUNTERS.map((name) => Number(numbers[names.indexOf(name)] ?? 0));
  const ipv6 = lines
    .filter(([name = '']) => SOCKET_COUNTERS.some((counter) => name === `Udp6${counter}`))
    .map(([, value]) => Number(value));
  return [...ipv4, ...ipv6].reduce((sum, value) => sum + value, 0);
}
