import { type ClusterPlan, type Lab, type NodePlace, type PodPlace, runCommand } from '@isthmus/lab';

/** What the agent gives its pods on this underlay: 1500 less the 50 bytes that VXLAN takes. */
const POD_MTU = 1450;
/** Port and TTL of the agent's tunnel; the UDP checksum is zero on both sides, which is the kernel's default over IPv4. */
const TUNNEL_PORT = 8472;
const TUNNEL_TTL = 64;
const FIRST_POD = 10;

/** The two ends of a plain tunnel: what it runs between, and what fits into it. */
export interface PlainTunnel {
  readonly local: string;
  readonly remote: string;
  readonly mtu: number;
}

/**
 * What Linux does without us: pods on veth pairs that the kernel routes between, and a VXLAN device between the nodes. It is laid out
 * as the agent lays out its own: addresses of full length, one gateway, the same MTUs, and permanent neighbours, so that neither side
 * ever waits for ARP. Devices have the offloads that the kernel gives them.
 */
export async function buildPlainNetwork(lab: Lab): Promise<void> {
  await buildPlainPods(lab, POD_MTU);
  for (const cluster of lab.plan.clusters)
    for (const node of cluster.nodes) {
      const [other = node] = cluster.nodes.filter((each) => each !== node);
      const [local, remote] = [node.addresses.ipv4, other.addresses.ipv4];
      await ip(node.netns, plainTunnelLines(cluster, node, { local, remote, mtu: POD_MTU }));
    }
}

/** The pods of {@link buildPlainNetwork} alone: nothing leads from node to node yet. */
export async function buildPlainPods(lab: Lab, mtu: number): Promise<void> {
  for (const cluster of lab.plan.clusters)
    for (const node of cluster.nodes) {
      const gatewayLine = `address add ${gateway(cluster.nodes.indexOf(node))}/32 dev lo`;
      await ip(node.netns, [gatewayLine, ...node.pods.flatMap((pod) => cableLines(cluster, pod, mtu))]);
      for (const pod of node.pods) await ip(pod.netns, insideLines(cluster, pod, mtu));
    }
}

/** Address of a pod of {@link buildPlainNetwork}. */
export function plainPodAddress(lab: Lab, pod: PodPlace): string {
  return addressOf(lab.cluster(pod.cluster), pod);
}

function cableLines(cluster: ClusterPlan, pod: PodPlace, mtu: number): string[] {
  const [node, index] = indexesOf(cluster, pod);
  const device = `pod${index}`;
  return [
    `link add ${device} mtu ${mtu} address ${mac(node, index, 'node')} type veth peer name eth0 mtu ${mtu} address ${mac(node, index, 'pod')} netns ${pod.netns}`,
    `link set ${device} up`,
    `neigh add ${addressOf(cluster, pod)} lladdr ${mac(node, index, 'pod')} dev ${device} nud permanent`,
    `route add ${addressOf(cluster, pod)}/32 dev ${device}`,
  ];
}

function insideLines(cluster: ClusterPlan, pod: PodPlace, mtu: number): string[] {
  const [node, index] = indexesOf(cluster, pod);
  return [
    'link set eth0 up',
    `address add ${addressOf(cluster, pod)}/32 dev eth0`,
    `neigh add ${gateway(node)} lladdr ${mac(node, index, 'node')} dev eth0 nud permanent`,
    `route add ${gateway(node)}/32 dev eth0 scope link`,
    `route add default via ${gateway(node)} dev eth0 mtu ${mtu}`,
  ];
}

/** A device to one other node, as somebody would set it up by hand; it may keep the route to its only peer, which ours has to look up. */
export function plainTunnelLines(cluster: ClusterPlan, node: NodePlace, { local, remote, mtu }: PlainTunnel): string[] {
  const own = cluster.nodes.indexOf(node);
  const far = cluster.nodes.findIndex((each) => each !== node);
  return [
    `link add vxlan0 mtu ${mtu} address ${tunnelMac(own)} type vxlan id 1 local ${local} remote ${remote} dstport ${TUNNEL_PORT} ttl ${TUNNEL_TTL} nolearning`,
    'link set vxlan0 up',
    `neigh add ${gateway(far)} lladdr ${tunnelMac(far)} dev vxlan0 nud permanent`,
    `route add ${plainPodNetwork(far)} via ${gateway(far)} dev vxlan0 onlink`,
  ];
}

/** Where the pods of a node are, by its place among the nodes. */
export function plainPodNetwork(node: number): string {
  return `10.1.${node}.0/24`;
}

function indexesOf(cluster: ClusterPlan, pod: PodPlace): [node: number, pod: number] {
  const node = cluster.nodes.findIndex((each) => each.name === pod.node);
  return [node, cluster.nodes[node]?.pods.indexOf(pod) ?? -1];
}

function addressOf(cluster: ClusterPlan, pod: PodPlace): string {
  const [node, index] = indexesOf(cluster, pod);
  return `10.1.${node}.${FIRST_POD + index}`;
}

function gateway(node: number): string {
  return `10.1.${node}.1`;
}

function mac(node: number, pod: number, end: 'node' | 'pod'): string {
  return `02:00:00:0${end === 'node' ? 1 : 2}:0${node}:0${pod}`;
}

function tunnelMac(node: number): string {
  return `02:00:00:03:0${node}:00`;
}

/** Runs lines of `ip` in a network namespace. */
export async function ip(netns: string, lines: readonly string[]): Promise<void> {
  await runCommand(['ip', '-n', netns, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
