import { type ClusterPlan, type Lab, type NodePlace, type PodPlace, runCommand } from '@isthmus/lab';

/** What the agent gives its pods on this underlay: 1500 less the 50 bytes that VXLAN takes. */
const POD_MTU = 1450;
/** Port and TTL of the agent's tunnel; the UDP checksum is zero on both sides, which is the kernel's default over IPv4. */
const TUNNEL_PORT = 8472;
const TUNNEL_TTL = 64;
const FIRST_POD = 10;

/**
 * What Linux does without us: pods on veth pairs that the kernel routes between, and a VXLAN device between the nodes. It is laid out
 * as the agent lays out its own: addresses of full length, one gateway, the same MTUs, and permanent neighbours, so that neither side
 * ever waits for ARP. Devices have the offloads that the kernel gives them.
 */
export async function buildPlainNetwork(lab: Lab): Promise<void> {
  for (const cluster of lab.plan.clusters) {
    for (const node of cluster.nodes) {
      await ip(node.netns, [...node.pods.flatMap((pod) => cableLines(cluster, pod)), ...tunnelLines(cluster, node)]);
      for (const pod of node.pods) await ip(pod.netns, insideLines(cluster, pod));
    }
  }
}

/** Address of a pod of {@link buildPlainNetwork}. */
export function plainPodAddress(lab: Lab, pod: PodPlace): string {
  return addressOf(lab.cluster(pod.cluster), pod);
}

function cableLines(cluster: ClusterPlan, pod: PodPlace): string[] {
  const [node, index] = indexesOf(cluster, pod);
  const device = `pod${index}`;
  return [
    `link add ${device} mtu ${POD_MTU} address ${mac(node, index, 'node')} type veth peer name eth0 mtu ${POD_MTU} address ${mac(node, index, 'pod')} netns ${pod.netns}`,
    `link set ${device} up`,
    `neigh add ${addressOf(cluster, pod)} lladdr ${mac(node, index, 'pod')} dev ${device} nud permanent`,
    `route add ${addressOf(cluster, pod)}/32 dev ${device}`,
  ];
}

function insideLines(cluster: ClusterPlan, pod: PodPlace): string[] {
  const [node, index] = indexesOf(cluster, pod);
  return [
    'link set eth0 up',
    `address add ${addressOf(cluster, pod)}/32 dev eth0`,
    `neigh add ${gateway(node)} lladdr ${mac(node, index, 'node')} dev eth0 nud permanent`,
    `route add ${gateway(node)}/32 dev eth0 scope link`,
    `route add default via ${gateway(node)} dev eth0 mtu ${POD_MTU}`,
  ];
}

/** A device to one other node, as somebody would set it up by hand; it may keep the route to its only peer, which ours has to look up. */
function tunnelLines(cluster: ClusterPlan, node: NodePlace): string[] {
  const own = cluster.nodes.indexOf(node);
  const [other = node] = cluster.nodes.filter((each) => each !== node);
  const far = cluster.nodes.indexOf(other);
  return [
    `link add vxlan0 mtu ${POD_MTU} address ${tunnelMac(own)} type vxlan id 1 local ${node.addresses.ipv4} remote ${other.addresses.ipv4} dstport ${TUNNEL_PORT} ttl ${TUNNEL_TTL} nolearning`,
    `address add ${gateway(own)}/32 dev vxlan0`,
    'link set vxlan0 up',
    `neigh add ${gateway(far)} lladdr ${tunnelMac(far)} dev vxlan0 nud permanent`,
    `route add 10.1.${far}.0/24 via ${gateway(far)} dev vxlan0 onlink`,
  ];
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

async function ip(netns: string, lines: readonly string[]): Promise<void> {
  await runCommand(['ip', '-n', netns, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
